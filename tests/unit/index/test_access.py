from pathlib import Path

import pytest

from envmgr.index.access import access_from, proxies_from, proxy_for
from envmgr.names import IndexName
from envmgr.spec.types import IndexSpec


def index(url: str) -> IndexSpec:
    return IndexSpec(name=IndexName("lab"), url=url, shown_url=url)


def test_a_login_in_an_index_url_counts_for_its_origin_alone() -> None:
    access = access_from({}, [index("https://u:p@example.org/simple/"), index("https://x.org/")])
    assert access.logins == {("https", "example.org", 443): ("u", "p")}


def test_netrc_is_the_named_file_or_that_of_home() -> None:
    assert access_from({"HOME": "/home/u"}).netrc == Path("/home/u/.netrc")
    named = access_from({"HOME": "/home/u", "NETRC": "/n"})
    assert (named.netrc, named.netrc_required) == (Path("/n"), True)
    assert access_from({}).netrc is None


def test_certificates_are_those_the_environment_names() -> None:
    access = access_from({"SSL_CERT_FILE": "/c.pem", "SSL_CERT_DIR": "/certs"})
    assert (access.certificates, access.certificates_directory) == ("/c.pem", "/certs")
    assert access_from({"SSL_CERT_FILE": ""}).certificates is None


@pytest.mark.parametrize(
    ("environ", "proxies"),
    [
        ({}, {}),
        ({"no_proxy": "example.org"}, {}),
        ({"HTTPS_PROXY": "proxy:3128"}, {"https://": "http://proxy:3128"}),
        ({"https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:1"}, {"https://": "http://a:1"}),
        ({"all_proxy": "http://a:1", "NO_PROXY": "*"}, {}),
        (
            {"all_proxy": "http://a:1", "no_proxy": "localhost, 10.0.0.1,[::1], .lab.org,x.org,"},
            {
                "all://": "http://a:1",
                "all://localhost": None,
                "all://10.0.0.1": None,
                "all://[::1]": None,
                "all://*.lab.org": None,
                "all://*x.org": None,
            },
        ),
    ],
)
def test_proxies_are_read_as_everybody_writes_them(
    environ: dict[str, str], proxies: dict[str, str | None]
) -> None:
    assert proxies_from(environ) == proxies


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://example.org/simple/", "http://tls:1"),
        ("http://example.org/simple/", "http://any:1"),
        ("https://localhost/a", None),
        ("https://nolocalhost/a", "http://tls:1"),
        ("http://10.0.0.1:8080/a", None),
        ("http://10.0.0.12/a", "http://any:1"),
        ("https://[::1]:8443/a", None),
        ("https://lab.org/a", None),
        ("https://index.lab.org/a", None),
        ("https://INDEX.LAB.ORG/a", None),
        ("https://collab.org/a", "http://tls:1"),
        ("https://x.org/a", None),
        ("https://a.x.org:444/a", None),
        ("https://ax.org/a", "http://tls:1"),
        ("https://port.net:8080/a", None),
        ("https://port.net/a", "http://tls:1"),
    ],
)
def test_a_host_that_is_exempt_is_asked_directly(url: str, proxy: str | None) -> None:
    proxies = proxies_from(
        {
            "https_proxy": "http://tls:1",
            "all_proxy": "http://any:1",
            "no_proxy": "localhost,10.0.0.1,[::1],.lab.org,x.org,port.net:8080",
        }
    )
    assert proxy_for(proxies, url) == proxy
