"""Links and sites: addresses that may be asked, fetching within limits, robots.txt, crawling."""
