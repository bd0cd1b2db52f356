import pytest

from reelm import accounts
from reelm.accounts import ProfileEdit
from reelm.foundation.errors import Gone, Invalid


@pytest.fixture
def account_id(session, parts):
    return accounts.ensure_account(session, parts, "asha")


def _edited(session, parts, account_id, **fields):
    accounts.edit_profile(session, account_id, ProfileEdit(**fields))
    return accounts.my_account(session, parts, account_id)


def test_what_is_left_out_stays(session, parts, account_id):
    _edited(session, parts, account_id, bio="One\r\ntwo", links=["https://a.example/x"])
    me = _edited(session, parts, account_id, display_name=" आशा ", is_private=True, language="HI")
    assert (me.bio, me.links) == ("One\ntwo", ["https://a.example/x"])
    assert (me.display_name, me.is_private, me.language) == ("आशा", True, "hi")
    assert (
        _edited(session, parts, account_id, language=None, display_name="").display_name == "asha"
    )


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "ftp://a.example",
        "//a.example",
        "https://",
        "https://me@evil.example",
        "https://a.example\\@evil.example",
        "https://a b.example",
        "https://a.example:port",
        "https://[::1",
        "data:text/html,x",
        "https://a.example/" + "x" * 200,
        "https://a.example/\u202egpj",
    ],
)
def test_a_link_that_is_not_one_is_refused(session, parts, account_id, link):
    with pytest.raises(Invalid):
        _edited(session, parts, account_id, links=[link])


def test_links_are_at_most_five(session, parts, account_id):
    links = [f"https://a.example/{n}" for n in range(6)]
    assert _edited(session, parts, account_id, links=links[:5]).links == links[:5]
    with pytest.raises(Invalid, match="at most 5"):
        _edited(session, parts, account_id, links=links)


@pytest.mark.parametrize(
    ("tag", "kept"),
    [("EN", "en"), ("pt-br", "pt-BR"), ("ZH-hant-tw", "zh-Hant-TW"), ("es-419", "es-419")],
)
def test_languages_are_tags(session, parts, account_id, tag, kept):
    assert _edited(session, parts, account_id, language=tag).language == kept


@pytest.mark.parametrize("tag", ["english!", "e", "en_US", "en-", "x" * 36, "नि"])
def test_other_languages_are_refused(session, parts, account_id, tag):
    with pytest.raises(Invalid, match="tag"):
        _edited(session, parts, account_id, language=tag)


def test_a_bio_has_an_end(session, parts, account_id):
    with pytest.raises(Invalid, match="301 characters"):
        _edited(session, parts, account_id, bio="x" * 301)


def test_a_picture_has_an_address_that_changes_with_it(session, parts, account_id):
    accounts.set_avatar(session, account_id, "avatars/ab/abcdef0123456789")
    assert accounts.my_account(session, parts, account_id).avatar_url == (
        f"/avatars/{account_id}/abcdef01.jpg"
    )
    accounts.set_avatar(session, account_id, None)
    assert accounts.my_account(session, parts, account_id).avatar_url is None


def test_an_erased_account_cannot_be_edited(session, parts, account_id):
    accounts.erase_account(session, parts, account_id)
    with pytest.raises(Gone):
        _edited(session, parts, account_id, bio="back")
    assert accounts.avatar_object(session, account_id) is None
