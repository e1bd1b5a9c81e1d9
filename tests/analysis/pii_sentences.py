"""Sentences as users say and type them; personal data is marked as `{kind:words}`. All made up."""

SENTENCES = r"""
My email is {email:julia.brandt@posteo.de}, can you send it there?
It's {email:tom_k99@mail.example.co.uk}.
You can write to {email:o.nguyen+shop@example.org} or to {email:ONGUYEN@EXAMPLE.ORG}.
it is {email:maria dot lopez at gmail dot com}
sure, {email:k underscore weber at web dot de}
{email:jeff99 at example dash mail dot co dot uk} is the one I use
The address I gave was {email:müller@bücher.example}.
I already wrote to support@ yesterday and nobody answered.
Please meet me at the station dot.
I looked at example dot com but found nothing.
We met at noon, dot the i, please.
Call me back on {phone:+1 (415) 555-0132} after five.
My mobile is {phone:+49 151 23456789}.
reach me at {phone:0044 20 7946 0958} please
{phone:(212) 555-0187} is my number
{phone:212-555-0187} works as well, or {phone:212.555.0187}
You can dial {phone:020 7946 0958} during office hours.
Our landline: {phone:030/4567890}
my phone number is {phone:4155550132}
Phone: {phone:555-0199}
text me on {phone:07700 900123}
my number is {phone:four one five, five five five, oh one three two}
it's {phone:zero seven seven double zero nine zero zero one two three}
you can call eight hundred? no, I do not have that number here
{phone:+33 6 12 34 56 78} is my French one
{phone:+861012345678} from China
My order number is 4155550132.
The order 20261123-4711 has not arrived.
ticket 555-0199 is still open
Tracking number 00340434161094042557 says delivered.
It costs 1,299.00 euros, not 1.399,00.
My customer number is 0301234567.
Invoice 2026-0815 of 2026-11-03 is wrong.
The meeting is on 03.11.2026 at 10:30.
I waited from 10:30:15 to 10:45:20 on hold.
I counted one two three and then pressed the button.
The code is 90210 for Beverly Hills.
We had 12 000 000 users in 2025.
Press one, two, three or four.
It was model 7700900123 I think.
My booking number is one two three four five six seven eight.
pages 1200-1210 and 15 chapters
Your hours are 09:00-17:00, right?
My card is {card:4111 1111 1111 1111}.
charge {card:5500-0000-0000-0004} please
amex {card:378282246310005}
the card number is {card:four one one one one one one one one one one one one one one one}
{card:6011111111111117} was declined
My old card 4111 1111 1111 1112 no longer works.
The serial is 1234567812345678.
IMEI 490154203237518 is on the box
{card:3530111333300000} is the JCB
IBAN {iban:DE89370400440532013000}
Please pay to {iban:GB29 NWBK 6016 1331 9268 19} today.
it's {iban:FR14 2004 1010 0505 0001 3M02 606}, in France
{iban:nl91 abna 0417 1643 00} is my account
DE89370400440532013001 was rejected
The part AB12CDEF34567890 is missing.
My flight is LH1234 on 12 May.
{iban:AT61 1904 3002 3457 3201} and {iban:CH93 0076 2011 6238 5295 7}
I log in from {ip:203.0.113.7}.
the server {ip:2001:db8::8a2e:370:7334} does not answer
pinging {ip:10.0.0.12}, {ip:10.0.0.13} works
We are on version 2.4.1.0 since Monday.
firmware 1.0.12.3 crashes
Section 4.3.2.1 of the manual says so.
At 12:34:56 it stopped.
The ratio was 1:2:3.
The link {url:https://shop.example/reset/aZ81kd02mQpL77xx} does not work.
I opened {url:https://example.com/login?token=9f8a7c6b5d4e} twice.
{url:https://files.example/get?id=5&signature=abCD1234efGH} is expired
clone {url:https://bob:s3cret@git.example/repo.git}
See https://example.com/help/returns for the rules.
Your page https://example.com/search?q=refund&page=2 is slow.
http://example.com/a?lang=en is fine
My password is {secret:Winter2026!} and it fails.
the password: {secret:hunter2}
my pin is {secret:4821}
The CVV is {secret:123}.
the verification code is {secret:663012}
the API key {secret:sk-proj-9aB8cD7eF6gH5iJ4kL3m} leaked
it says {secret:ghp_16C7e42F292c6912E7710c838347Ae178B4a}
use {secret:AKIAIOSFODNN7EXAMPLE} for the bucket
The password is wrong, and the pin is not accepted.
I forgot my password three times.
Where do I change my password?
The token is expired, it says.
You must enter a security code that I never got.
the header was Bearer {secret:eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N}
Hello, I would like to know how long refunds take.
Thank you, that was all. Have a nice day!
I ordered 3 shirts in size 42 for 59.97.
The serial number is SN-2231-9981-7.
My address is {phone:0170 5551234}, sorry, that is my number.
"""

HELD_OUT = r"""
So that would be {email:a.petrov@firma-nord.de} for the invoice.
{email:sam at hotmail dot com} or by phone {phone:+1 646 555 0171}
Is it {phone:(0)30 901820}? Please call that number.
my cell is {phone:503.555.0148} and the office is {phone:503-555-0149}
{phone:0171/5557788} is fine too
Mi número es {phone:+34 612 345 678}.
the number is {phone:six one nine five five five oh one eight eight}
{phone:1-800-555-0175} is what the card says
I have order 100-200-3000 and order 5553331212.
Case 00123456789 was closed on 2026/10/01.
My ID is 1234567.
We sold 4500000 units, that is 3.141.592 more.
{card:4012-8888-8888-1881} until 09/28
Visa ending in 1881
mastercard {card:2223003122003222}
{iban:ES9121000418450200051332} is where the refund should go
IBAN: {iban:BE68 5390 0754 7034}.
My reference is RF18539007547034.
from {ip:198.51.100.23} or {ip:fe80::1ff:fe23:4567:890a}
Version 10.0.19045.1 of the system
{url:https://app.example/invite/Zk3mP0qLx81vTr55} came by mail
{url:https://example.com/cb?code=4f5g6h7j8k&state=xyz}
https://example.com/orders/12345 shows nothing
my passcode is {secret:8842}
The password was {secret:qwerty12#} before.
is the pin four digits long?
I need the verification code again, please.
otp {secret:551029}
token={secret:abcd1234efgh5678}
The user said twenty five fifty, and left.
Two for one, three for two, and four for three: great offers.
A at B dot is nonsense.
He was there at nine dot thirty.
She is at work dot com is not a thing.
I am Peter and my wife is Anna.
It rings at 7.30 and 8.45.
Room 12, floor 3, building 4-5-6.
Account 12-34-56 87654321 is mine.
Please send 3 x 4000 pieces by 12-12-2026.
My number on the waiting list is 17.
"""
"""Written after the detector and never used to change it."""
