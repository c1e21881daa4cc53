from __future__ import annotations

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.door.address import is_loopback, proxy_address, server_address
from connector.door.door import DoorSettings
from schemas.errors import SettingsError


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("https://invoicing.co", "https://invoicing.co"),
        ("https://invoicing.co/", "https://invoicing.co"),
        ("HTTPS://Invoicing.CO/api/v1", "https://invoicing.co"),
        ("https://invoicing.co/api/v1/", "https://invoicing.co"),
        ("https://host/ninja/public/api/v1/", "https://host/ninja/public"),
        ("https://host:443", "https://host"),
        ("https://host:8443", "https://host:8443"),
        ("https://192.0.2.7", "https://192.0.2.7"),
        ("https://[2001:DB8:0::7]:8443", "https://[2001:db8::7]:8443"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("http://127.3.2.1", "http://127.3.2.1"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://[0:0:0:0:0:0:0:1]", "http://[::1]"),
    ],
)
def test_an_address_is_kept_in_one_form(given_text, kept):
    assert str(server_address(given_text)) == kept
    assert DoorSettings(kept).base_url == kept


REFUSED = [
    "",
    "invoicing.co",
    "//invoicing.co",
    "ftp://host",
    "file:///etc/passwd",
    "javascript://host",
    "https:/host",
    "https:///host",
    "https://",
    "https://user@host",
    "https://user:word@host",
    "https://host@",
    "https://host/?a=1",
    "https://host?",
    "https://host#x",
    "https://host\\@evil.example",
    "https://host\\.evil.example",
    "https://host /",
    " https://host",
    "https://host\n",
    "https://ho\tst",
    "https://ho%73t",
    "https://host.",
    "https://host..example",
    "https://.host",
    "https://-host",
    "https://hos\u200bt",
    "https://\u24d7ost",
    "https://b\u00fccher.example",
    "https://host:",
    "https://host:0",
    "https://host:65536",
    "https://host:99999999",
    "https://host:-1",
    "https://host:8\u0660",
    "https://host:80:80",
    "https://[::1",
    "https://::1",
    "https://[fe80::1%25eth0]",
    "https://[v1.x]",
    "https://host/a/../b",
    "https://host/./b",
    "https://host//b",
    "https://host/a%2f",
    "https://" + "a" * 64,
    "https://" + ".".join(["a" * 60] * 5),
    "http://invoicing.co",
    "http://10.0.0.1",
    "http://192.168.1.2",
    "http://localhost.",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "http://127.0.0.1.",
    "http://evil.localhost",
    "http://[::2]",
    # forms that some resolver reads as another address
    "http://0.0.0.0",
    "https://0.0.0.0",
    "https://0.1.2.3",
    "http://0",
    "http://127.1",
    "http://127.0.1",
    "http://2130706433",
    "http://0x7f000001",
    "http://0x7f.0.0.1",
    "http://0x7f.1",
    "http://0177.0.0.1",
    "http://127.0.0.01",
    "http://127.0.0.256",
    "http://127.0.0.1.1",
    "http://1.0x",
    "http://[::]",
    "http://[::ffff:127.0.0.1]",
    "https://[::ffff:10.0.0.1]",
    "https://[2002:7f00:1::]",
]


@pytest.mark.parametrize("text", REFUSED)
def test_every_other_form_is_refused(text):
    with pytest.raises(SettingsError) as caught:
        DoorSettings(text)
    assert str(caught.value).startswith("url ")


def test_a_password_in_an_address_is_not_repeated():
    for text in ("https://ann:canary@host", "https://host/?token=canary", "https://host/#canary"):
        for check in (server_address, proxy_address):
            with pytest.raises(SettingsError) as caught:
                check(text)
            assert "canary" not in str(caught.value)


@given(st.ip_addresses())
@example(ipaddress.ip_address("0.0.0.0"))  # noqa: S104
@example(ipaddress.ip_address("127.0.0.1"))
@example(ipaddress.ip_address("::ffff:127.0.0.1"))
@example(ipaddress.ip_address("::1"))
def test_http_goes_to_loopback_addresses_only(ip):
    host = f"[{ip}]" if ip.version == 6 else str(ip)
    try:
        address = server_address(f"http://{host}")
    except SettingsError:
        allowed = False
    else:
        allowed = True
        assert ipaddress.ip_address(address.host.strip("[]")) == ip
    assert allowed == (
        ip in ipaddress.ip_network("127.0.0.0/8") if ip.version == 4 else ip == ipaddress.ip_address("::1")
    )
    assert allowed == is_loopback(host) or not allowed


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["{}", "0x{:x}", "0{:o}", "{:x}.1"]),
    st.sampled_from(["", ".", ":80", "/"]),
)
def test_no_other_spelling_of_a_number_is_a_host(number, form, end):
    text = form.format(number)
    if text.endswith(".1") and not text[0].isdigit():
        return  # a name such as `ab.1` is refused as well, see the next property
    with pytest.raises(SettingsError):
        server_address(f"http://{text}{end}")


@given(st.text(st.sampled_from("htps:/@?#[]%\\.0x127af-_~ \tlocalhostevil\u3002\uff0e"), max_size=40))
def test_no_text_is_read_in_two_ways(text):
    """Whatever passes has exactly the host that a strict reading has, and http only on this machine."""
    try:
        address = server_address("http://" + text)
    except SettingsError:
        return
    assert is_loopback(address.host)
    assert not set(text) & set("@?#%\\ \t\u3002\uff0e")
    assert text.lower().startswith(address.host) or address.host.startswith("[")
    assert server_address(str(address)) == address


@given(st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z]([a-z0-9-]{0,20}[a-z0-9])?){1,4}\Z"))
def test_every_plain_name_is_taken_over_https(host):
    if host.rpartition(".")[2].startswith("0x"):
        return
    assert server_address(f"https://{host}/api/v1/").host == host


def test_a_proxy_is_an_address_without_a_path_and_never_for_http():
    assert DoorSettings("https://host", proxy="http://proxy:3128/").proxy == "http://proxy:3128"
    for bad in ("socks5://proxy", "http://user:word@proxy", "http://proxy/path", "proxy:3128"):
        with pytest.raises(SettingsError, match=r"^proxy "):
            DoorSettings("https://host", proxy=bad)
    with pytest.raises(SettingsError, match="in the clear"):
        DoorSettings("http://localhost", proxy="http://proxy:3128")


@pytest.mark.parametrize(
    "name", ["connect_timeout", "read_timeout", "request_deadline", "requests_per_second", "attempts", "max_body_bytes"]
)
@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan")])
def test_a_limit_is_a_number_above_zero(name, value):
    with pytest.raises(SettingsError, match=name):
        DoorSettings("https://host", **{name: value})


def test_no_retries_at_all_is_a_setting():
    assert DoorSettings("https://host", retry_budget=0).retry_budget == 0
    with pytest.raises(SettingsError, match="retry_budget"):
        DoorSettings("https://host", retry_budget=-1)
