"""Settings: where they come from, who wins, and what a mistake is answered with."""

from __future__ import annotations

import pytest

from flows.configuration.load import choose_source, choose_sources, find_file, load_settings, place_of, places
from flows.configuration.values import Settings, Source
from flows.session.door import open_door, token_of
from flows.setup.init import NewSource, write_configuration
from schemas.errors import SettingsError

ENVIRON = {"NINJA_SYNC_URL": "https://ninja.test", "NINJA_SYNC_TOKEN": "secret-token"}


def write(folder, text, name="ninja-sync.toml"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def test_the_environment_alone_is_enough_for_one_source(tmp_path):
    settings = load_settings(environ=ENVIRON, folder=tmp_path)
    assert settings.sources["main"].url == "https://ninja.test"
    assert token_of(settings.sources["main"], environ=ENVIRON).reveal() == "secret-token"


@pytest.mark.parametrize(
    ("environ", "pulled"),
    [
        ({}, ["clients", "invoices", "payments", "credits"]),
        ({"NINJA_SYNC_ENTITIES": "vendors, invoices"}, ["clients", "invoices", "vendors"]),
        ({"NINJA_SYNC_ENTITIES": "clients"}, ["clients"]),
    ],
)
def test_a_source_pulls_clients_always_and_before_the_other_entities(tmp_path, environ, pulled):
    source = load_settings(environ=ENVIRON | environ, folder=tmp_path).sources["main"]
    assert [entity.name for entity in source.pulled] == pulled


def test_an_entity_that_cannot_be_pulled_is_refused_with_those_that_can(tmp_path):
    file = write(tmp_path, '[sources.shop]\nurl = "https://x.test"\nentities = ["invoices", "bills"]\n')
    with pytest.raises(SettingsError, match=r"'shop' cannot pull 'bills'; it can pull: clients, invoices, .*vendors"):
        load_settings(file, environ={})


def test_without_anything_there_is_no_source_and_the_error_says_what_to_do(tmp_path):
    settings = load_settings(environ={"HOME": str(tmp_path)}, folder=tmp_path)
    for choose in (choose_source, choose_sources):
        with pytest.raises(SettingsError, match="ninja-sync init"):
            choose(settings, None)


@pytest.mark.parametrize("place", range(3))
def test_the_first_file_of_the_places_is_used(tmp_path, place):
    environ = {"HOME": str(tmp_path / "home")}
    for number, path in enumerate(places(environ, tmp_path)[:3]):
        if number >= place:
            write(path.parent, f'[sources.s{number}]\nurl = "https://x.test"\n')
    assert list(load_settings(environ=environ, folder=tmp_path).sources) == [f"s{place}"]


def test_a_named_file_wins_over_all_places_and_must_be_there(tmp_path):
    write(tmp_path / "config", '[sources.a]\nurl = "https://x.test"\n')
    named = write(tmp_path, '[sources.b]\nurl = "https://x.test"\n', "other.toml")
    assert list(load_settings(named, environ={}, folder=tmp_path).sources) == ["b"]
    assert find_file(None, environ={"NINJA_SYNC_CONFIG": str(named)}, folder=tmp_path) == named
    with pytest.raises(SettingsError, match=r"gone\.toml"):
        load_settings(tmp_path / "gone.toml", environ={}, folder=tmp_path)


def test_relative_paths_are_those_of_the_file(tmp_path):
    file = write(tmp_path / "config", 'warehouse = "w.duckdb"\n[sources.a]\nurl = "https://x.test"\ntoken_file = "t"\n')
    settings = load_settings(file, environ={})
    assert place_of(settings) == tmp_path / "config" / "w.duckdb"
    assert settings.sources["a"].token_file == str(tmp_path / "config" / "t")


def test_the_environment_wins_over_a_file_with_one_source(tmp_path):
    file = write(tmp_path, '[sources.a]\nurl = "https://x.test"\ntoken_env = "OTHER"\npage_size = 9\n')
    settings = load_settings(file, environ={**ENVIRON, "NINJA_SYNC_WAREHOUSE": "/w/x.duckdb"})
    source = settings.sources["a"]
    assert (source.url, source.token_env, source.page_size) == ("https://ninja.test", "NINJA_SYNC_TOKEN", 9)
    assert settings.warehouse == "/w/x.duckdb"


def test_the_token_of_the_environment_wins_without_a_url_too(tmp_path):
    file = write(tmp_path, '[sources.a]\nurl = "https://x.test"\ntoken_file = "t"\n')
    source = load_settings(file, environ={"NINJA_SYNC_TOKEN": "t"}).sources["a"]
    assert (source.url, source.token_env, source.token_file) == ("https://x.test", "NINJA_SYNC_TOKEN", "")
    assert load_settings(file, environ={"NINJA_SYNC_TOKEN": ""}).sources["a"].token_file == str(tmp_path / "t")


def test_the_token_of_the_environment_is_for_none_of_several_sources(tmp_path):
    file = write(
        tmp_path, '[sources.a]\nurl = "https://x.test"\ntoken_env = "A"\n[sources.b]\nurl = "https://y.test"\n'
    )
    sources = load_settings(file, environ={"NINJA_SYNC_TOKEN": "t"}).sources
    assert [source.token_env for source in sources.values()] == ["A", ""]
    assert (
        load_settings(environ={"NINJA_SYNC_TOKEN": "t", "HOME": str(tmp_path / "x")}, folder=tmp_path / "x").sources
        == {}
    )


@pytest.mark.parametrize(
    "text",
    [
        "wait = 0\n",
        "[prefect]\nat_once = 1\n[prefect.schedules]\n",
        '[prefect.schedules.pull]\ncron = "* * * * *"\ninterval = 0\njitter = 3600\n',
        '[sources.a]\nurl = "https://x"\nlook_back = 60\nrequests_per_second = 0.5\nretry_budget = 0\n',
    ],
)
def test_the_limits_themselves_are_allowed(tmp_path, text):
    load_settings(write(tmp_path, text), environ={})


def test_the_environment_is_refused_where_a_file_has_several_sources(tmp_path):
    file = write(tmp_path, '[sources.a]\nurl = "https://x.test"\n[sources.b]\nurl = "https://y.test"\n')
    with pytest.raises(SettingsError, match="NINJA_SYNC_URL"):
        load_settings(file, environ=ENVIRON)
    settings = load_settings(file, environ={})
    assert choose_sources(settings, None) == ["a", "b"]
    with pytest.raises(SettingsError, match=r"a \| b"):
        choose_source(settings, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[sources.a]\nurl = 5\n", r"\$\.sources\[\.\.\.\]\.url"),
        ("[sources.a]\n", "url"),
        ('[sources.a]\nurl = "https://x"\ntoken = "my-secret"\n', "token"),
        ('[sources."A b"]\nurl = "https://x"\n', "lower-case letters"),
        ('[sources.a]\nurl = "https://x"\npage_size = 0\n', "page_size"),
        ('[sources.a]\nurl = "https://x"\npage_size = 5001\n', "page_size"),
        ('[sources.a]\nurl = "https://x"\nconnections = 0\n', "connections"),
        ('[sources.a]\nurl = "https://x"\nconnections = 17\n', "connections"),
        ('[sources.a]\nurl = "https://x"\nlook_back = -1\n', "look_back"),
        ('[sources.a]\nurl = "https://x"\nlook_back = 0\n', "look_back"),
        ('[sources.a]\nurl = "https://x"\nlook_back = 59\n', "sources.NAME.look_back must be at least 60."),
        ('[sources.a]\nurl = "https://x"\nrequests_per_second = 0\n', "requests_per_second"),
        ('[sources.a]\nurl = "https://x"\nrequests_per_second = nan\n', "requests_per_second"),
        ('[sources.a]\nurl = "https://x"\nrequests_per_second = inf\n', "requests_per_second"),
        ('[sources.a]\nurl = "https://x"\nretry_budget = -0.5\n', "retry_budget"),
        ("wait = -1\n", "wait"),
        ("wait = inf\n", "wait"),
        ("[prefect.schedules.pull]\ninterval = -1\n", "schedules.NAME.interval must be at least 0"),
        ("[prefect.schedules.pull]\n", "must be cron or interval"),
        ('[prefect.schedules.pull]\ninterval = 5\ncron = "* * * * *"\n', "not both"),
        ("[prefect.schedules.pull]\ninterval = 5\njitter = 3601\n", "jitter"),
        ("[prefect.schedules.pul]\ninterval = 5\n", "one of the flows pull, sweep"),
        ("[prefect]\nat_once = 0\n", "at_once"),
        ("[prefect]\ninterval = 900\n", r"unknown field `interval`.*now \[prefect.schedules\]"),
        ("[prefect]\nat_once = 33\n", "at_once"),
        ("warehouse = \n", "TOML"),
        ("warehous = 'x'\n", "unknown field `warehous`. Did you mean 'warehouse'"),
        ('[sources.a]\nurl = "https://x"\npagesize = 9\n', "Did you mean 'page_size'"),
        ('[sources.a]\nurl = "https://x"\ntoken = "my-secret"\n', "Did you mean 'token_env'|'token_"),
        ('[sources.a]\nurl = "https://x"\nwarehouse = "w"\n', "belongs in the top of the file"),
        ("[push]\nhistory_days = 9\n", r"belongs in \[retention\]"),
        ("[prefect.schedules]\npull = { intervall = 9 }\n", "Did you mean 'interval'"),
        ("\x00", "TOML"),
    ],
)
def test_a_mistake_in_the_file_is_named_and_no_value_of_a_secret_is_shown(tmp_path, text, words):
    file = write(tmp_path, text)
    with pytest.raises(SettingsError, match=words) as caught:
        load_settings(file, environ={})
    assert "my-secret" not in str(caught.value)
    assert "ninja-sync.toml" in str(caught.value) or "must be" in str(caught.value) or words == "lower-case letters"


def test_what_init_writes_is_what_is_read(tmp_path):
    file = tmp_path / "config" / "ninja-sync.toml"
    odd = 'we "quote" \\ things.duckdb'
    write_configuration(file, NewSource("shop", "https://ninja.test/api/v1/", token_env="T"), str(tmp_path / odd))
    settings = load_settings(file, environ={})
    assert settings.sources["shop"].url == "https://ninja.test"
    assert settings.sources["shop"].token_env == "T"
    assert place_of(settings) == tmp_path / odd


@pytest.mark.parametrize("fields", [{"name": "A b"}, {"url": "http://ninja.test"}, {"url": "ninja.test"}])
def test_init_writes_nothing_that_would_not_work(tmp_path, fields):
    values = {"url": "https://ninja.test", "name": "shop", "token_env": "T", **fields}
    with pytest.raises(SettingsError):
        write_configuration(tmp_path / "x.toml", NewSource(**values), "w")
    assert not (tmp_path / "x.toml").exists()


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Ninja.Test/shop", "ninja.test:443"),
        ("https://ninja.test:443/api/v1", "ninja.test:443"),
        ("https://ninja.test:8443", "ninja.test:8443"),
        ("http://[::1]:9000", "[::1]:9000"),
    ],
)
def test_on_postgres_doors_to_one_host_share_their_turns_however_its_url_is_written(url, host):
    settings = Settings(warehouse="postgresql://u@127.0.0.1/w", sources={"a": Source(url=url, requests_per_second=2)})
    with open_door(settings, "a", environ=ENVIRON) as door:
        assert (door._turns._host, door._turns._interval, door._turns._opened) == (host, 0.5, None)


def test_on_duckdb_and_on_a_warehouse_that_is_none_a_door_keeps_to_its_own_pace(tmp_path):
    for warehouse in (str(tmp_path / "w.duckdb"), "mysql://x"):
        settings = Settings(warehouse=warehouse, sources={"a": Source(url="https://ninja.test")})
        with open_door(settings, "a", environ=ENVIRON) as door:
            assert door._turns is None
