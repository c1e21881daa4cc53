"""No credential is kept, at any depth; everything else is, in its order."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.entities import CLIENTS, COMPANIES
from schemas.scrub import scrubbed, searched, sounds_secret
from schemas.values import to_json
from tests.schemas.schema_records import bodies, client, quick

CANARY = "canary-9Xq"
SECRET_NAMES = [
    "contact_key", "link", "password", "client_hash", "gateway_tokens", "token", "X-API-TOKEN", "accessToken",
    "company_key", "google_analytics_key", "postmark_secret", "mailgun_secret", "brevo_secret", "smtp_password",
    "e_invoicing_token", "oauth_user_token", "oauth_user_refresh_token", "google_2fa_secret", "api_key", "apiKey",
    "X-API-KEY", "secretKey", "accessKey", "signingKey", "private_key", "privateKey", "key", "db_pwd", "passphrase",
    "e_invoice_certificate", "e_invoice_certificate_passphrase", "qr_iban", "IBAN", "card_number", "cardNumber",
    "portal_link", "slack_webhook_url", "bearer", "credentials", "invitation_hash",
]  # fmt: skip
HARMLESS_NAMES = [
    "entity", "currency_id", "payment_terms", "name", "label", "turkey", "monkey", "keyboard", "linked_to", "notes",
    "portal_custom_css", "locations", "tags", "size_id", "routing_id", "counter_padding", "timezone_id",
]  # fmt: skip


@pytest.mark.parametrize("key", SECRET_NAMES)
def test_names_of_credentials(key):
    assert sounds_secret(key)


@pytest.mark.parametrize("key", HARMLESS_NAMES)
def test_harmless_names(key):
    assert not sounds_secret(key)


nested = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["x", "y"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(HARMLESS_NAMES), inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@st.composite
def planted(draw):
    """A harmless value, and the same with a credential somewhere in each of its objects."""

    def plant(value):
        if isinstance(value, list):
            return [plant(one) for one in value]
        if not isinstance(value, dict):
            return value
        items = [(key, plant(one)) for key, one in value.items()]
        secret = draw(st.sampled_from([CANARY, [CANARY], {"name": CANARY}, {"deep": [{"label": CANARY}]}]))
        items.insert(draw(st.integers(0, len(items))), (draw(st.sampled_from(SECRET_NAMES)), secret))
        return dict(items)

    value = draw(nested)
    return value, plant(value)


@quick
@given(planted(), st.sampled_from(["future_field", "settings", "tax_info", "locations", "name", "phone", "balance"]))
def test_a_planted_credential_is_dropped_and_all_else_kept_in_order(case, key):
    value, with_secrets = case
    record = {"id": "aB3", key: with_secrets}
    kept = json.dumps(scrubbed(CLIENTS, record))
    assert kept == json.dumps({"id": "aB3", key: value})
    assert CANARY not in kept


@quick
@given(planted(), st.sampled_from(["contacts", "documents"]))
def test_the_same_inside_a_child(case, child):
    value, with_secrets = case
    kept = json.dumps(scrubbed(CLIENTS, {child: [{"id": "c", "future": with_secrets}, "no object"]}))
    assert kept == json.dumps({child: [{"id": "c", "future": value}]})


@quick
@given(st.sampled_from(SECRET_NAMES))
def test_a_credential_beside_the_fields_is_dropped(key):
    assert scrubbed(CLIENTS, {"id": "aB3", key: CANARY, "name": "Ann"}) == {"id": "aB3", "name": "Ann"}


def test_the_secrets_of_a_recorded_client_are_gone_and_nothing_else():
    record = client()
    kept = scrubbed(CLIENTS, record)
    secrets = {"client_hash", "gateway_tokens"}
    assert list(kept) == [key for key in record if key not in secrets]
    assert {key: kept[key] for key in kept if key not in ("contacts", "documents")} == {
        key: value for key, value in record.items() if key not in {*secrets, "contacts", "documents"}
    }
    for before, after in zip(record["contacts"], kept["contacts"], strict=True):
        assert list(after) == [key for key in before if key not in ("contact_key", "link", "password")]
    assert not {"hash", "link", "url", "preview"} & set(kept["documents"][0])


def test_no_secret_value_of_any_recorded_client_is_kept():
    for body in bodies("clients_full_pull"):
        for record in json.loads(body)["data"]:
            kept = json.dumps(scrubbed(CLIENTS, record))
            assert record["client_hash"] not in kept
            for contact in record["contacts"]:
                assert contact["contact_key"] not in kept
                assert "key_login" not in kept


def test_children_that_are_no_list_are_not_kept():
    assert scrubbed(CLIENTS, {"contacts": {"0": {"link": CANARY}}}) == {"contacts": None}


def test_a_companys_credentials_are_dropped():
    (body,) = bodies("companies_current")
    record = json.loads(body)["data"]
    kept = scrubbed(COMPANIES, record)
    for key in ("company_key", "smtp_password", "google_analytics_key", "slack_webhook_url", "e_invoicing_token"):
        assert key in record
        assert key not in kept
    for key in ("postmark_secret", "mailgun_secret", "brevo_secret", "qr_iban"):
        assert key in record["settings"]
        assert key not in kept["settings"]
    assert kept["settings"]["currency_id"] == record["settings"]["currency_id"]


def test_the_record_itself_is_not_changed():
    record = client()
    before = to_json(record)
    scrubbed(CLIENTS, record)
    searched(record)
    assert to_json(record) == before
