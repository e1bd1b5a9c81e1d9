"""robots.txt by the examples of RFC 9309 and by what sites really write."""

import pytest

from kb.web.robots import ALLOW_ALL, DISALLOW_ALL, read_robots

ROBOTS = """\ufeff# comment
User-agent: otherbot
Disallow: /

User-Agent: VivaVoce
User-agent: thirdbot
Disallow: /example/page/   # trailing
Allow: /example/page/allowed.gif
Disallow: /*.pdf$
Disallow: /search*q=
Disallow:
Crawl-delay: 2.5

User-agent: *
Disallow: /everyone

Sitemap: https://example.com/sitemap.xml
"""


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/", True),
        ("/example/page/x", False),
        ("/example/page/allowed.gif", True),
        ("/manual.pdf", False),
        ("/manual.pdf?download", True),
        ("/search?lang=en&q=refund", False),
        ("/everyone", True),
        ("/robots.txt", True),
    ],
)
def test_the_longest_match_of_the_own_group_decides(path: str, allowed: bool):
    assert read_robots(ROBOTS, product="vivavoce").allows(path) is allowed


def test_a_crawler_without_a_group_follows_the_one_for_all():
    rules = read_robots(ROBOTS, product="unheard-of")

    assert not rules.allows("/everyone/else")
    assert rules.allows("/example/page/x")
    assert rules.sitemaps == ("https://example.com/sitemap.xml",)


def test_a_delay_is_read():
    assert read_robots(ROBOTS, product="vivavoce").crawl_delay_s == 2.5


def test_an_allowed_path_as_long_as_the_disallowed_one_wins():
    assert read_robots("User-agent: *\nDisallow: /a\nAllow: /a", product="x").allows("/a")


def test_nothing_and_everything():
    assert ALLOW_ALL.allows("/any")
    assert not DISALLOW_ALL.allows("/any")
    assert read_robots("<html>not robots</html>", product="x").allows("/any")


def test_a_pattern_of_many_stars_ends():
    rules = read_robots(f"User-agent: *\nDisallow: /{'*a' * 40}b$", product="x")

    assert rules.allows("/" + "a" * 2000)
    assert not rules.allows("/" + "a" * 2000 + "b")
