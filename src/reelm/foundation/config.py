"""The settings of a region: `region.toml` in the region home, overridden by `REELM_*`.

A setting `port` in section `[http]` is `REELM_HTTP_PORT` in the environment. Each setting is
declared here once, with its default, its bounds and the sentence that documents it.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec import Meta

from reelm.foundation.countries import require_countries
from reelm.foundation.errors import BadSetting, Invalid

GIB = 1 << 30
MIB = 1 << 20


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One table of region.toml."""


class RegionSettings(_Section, frozen=True):
    """Who and where this region is; written by `reelm init` and not meant to change."""

    number: Annotated[int, Meta(ge=0, le=1023, description="Number inside every id; 0 to 1023.")]
    name: Annotated[str, Meta(min_length=1, max_length=80, description="Name shown to people.")]
    jurisdiction: Annotated[
        str,
        Meta(
            min_length=2,
            max_length=20,
            description="Policy pack: IN, a member state of the EU such as DE, or neutral.",
        ),
    ]
    operator: Annotated[
        str, Meta(min_length=1, max_length=200, description="Legal entity that runs the region.")
    ]
    data_country: Annotated[
        str,
        Meta(
            pattern="^([A-Z]{2})?$",
            description="Country in which database, store and keys lie, such as IN; told on "
            "/region. Empty: not stated.",
        ),
    ] = ""


class ContactSettings(_Section, frozen=True):
    """How people, finders of faults and authorities reach the operator; told on /region."""

    operator: Annotated[
        str,
        Meta(
            max_length=500,
            description="How people reach the operator: postal address, mail, telephone.",
        ),
    ] = ""
    officers: Annotated[
        str,
        Meta(
            max_length=5000,
            description="Officers that the policy pack asks for, a line each: "
            "`Grievance Officer: name, address`.",
        ),
    ] = ""
    security: Annotated[
        list[str],
        Meta(
            description="Where faults of security are reported: mailto:, https: or tel:, the "
            "first preferred; comma-separated. Empty: no security.txt."
        ),
    ] = []
    languages: Annotated[
        list[str],
        Meta(description="Languages that reports of security may be in; comma-separated."),
    ] = msgspec.field(default_factory=lambda: ["en"])


class HttpSettings(_Section, frozen=True):
    """How the web process listens."""

    address: Annotated[str, Meta(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port to listen on.")] = 8080
    public_url: Annotated[
        str,
        Meta(description="Address people use, such as https://example.org; empty: as requested."),
    ] = ""
    trusted_proxies: Annotated[
        list[str],
        Meta(description="Addresses whose X-Forwarded-For is believed; comma-separated."),
    ] = []
    country_header: Annotated[
        str,
        Meta(
            description="Header in which a trusted proxy says the viewer's country, such as "
            "X-Country; empty: none."
        ),
    ] = ""
    country_database: Annotated[
        str,
        Meta(description="File in MaxMind's format that tells the country of an address."),
    ] = ""
    threads: Annotated[int, Meta(ge=1, le=128, description="Threads that answer requests.")] = 16
    processes: Annotated[
        int, Meta(ge=1, le=64, description="Web processes that share the port.")
    ] = 1
    rate_limits: Annotated[
        bool, Meta(description="Limit tries per address and account; off only for load tests.")
    ] = True


class DatabaseSettings(_Section, frozen=True):
    """Where the PostgreSQL is."""

    url: Annotated[
        str,
        Meta(
            description="postgresql://owner:password@host/name of your own PostgreSQL >= 16; "
            "empty: the embedded one."
        ),
    ] = ""
    embedded_version: Annotated[
        str, Meta(pattern="^(16|18)$", description="Major version of the embedded PostgreSQL.")
    ] = "18"


class StorageSettings(_Section, frozen=True):
    """Where objects are kept."""

    url: Annotated[
        str,
        Meta(description="s3://bucket/prefix; empty: the folder objects/ in the region home."),
    ] = ""
    s3_endpoint: Annotated[str, Meta(description="Endpoint of an S3-compatible store.")] = ""
    s3_region: Annotated[str, Meta(description="Region name that the store expects.")] = ""
    s3_access_key_id: Annotated[str, Meta(description="Access key id; set it by env.")] = ""
    s3_secret_access_key: Annotated[str, Meta(description="Secret key; set it by env.")] = ""


class UploadSettings(_Section, frozen=True):
    """What may be uploaded; told to clients before the first byte."""

    max_bytes: Annotated[int, Meta(ge=MIB, description="Largest file in bytes.")] = 1 * GIB
    max_duration_s: Annotated[int, Meta(ge=1, le=3600, description="Longest video in seconds.")] = (
        600
    )
    max_side_px: Annotated[
        int, Meta(ge=144, le=16384, description="Widest or tallest picture in pixels.")
    ] = 8192
    quota_bytes: Annotated[int, Meta(ge=MIB, description="Bytes one account may have stored.")] = (
        20 * GIB
    )
    expire_hours: Annotated[
        int, Meta(ge=1, le=720, description="Hours after which an unfinished upload ends.")
    ] = 24


class MediaSettings(_Section, frozen=True):
    """How video is encoded."""

    ffmpeg: Annotated[str, Meta(description="Path of ffmpeg; empty: the one installed.")] = ""
    encoders: Annotated[int, Meta(ge=1, le=64, description="Encodes that run at once.")] = 1


class TechnologySettings(_Section, frozen=True):
    """Where the technology comes from, for a sale of the region (docs/transfer.md)."""

    origin: Annotated[
        str,
        Meta(
            pattern="^([A-Z]{2})?$",
            description="Country whose law decides on the export of the technology assets, such "
            "as DE. Empty: not stated.",
        ),
    ] = ""
    export_controlled: Annotated[
        list[str],
        Meta(
            description="Technology assets that may leave that country only by its authority's "
            "licence: release, sbom, ffmpeg, policy-pack-IN, model; comma-separated."
        ),
    ] = []


class TransferSettings(_Section, frozen=True):
    """What holds for a sale of the region (docs/transfer.md)."""

    notice_days: Annotated[
        int,
        Meta(
            ge=0,
            le=36_500,
            description="Days for which people are told at least before the region is frozen for "
            "a sale; a policy pack that asks for more goes before.",
        ),
    ] = 30


class Settings(_Section, frozen=True):
    """All settings of a region."""

    region: RegionSettings
    http: HttpSettings = HttpSettings()
    database: DatabaseSettings = DatabaseSettings()
    storage: StorageSettings = StorageSettings()
    upload: UploadSettings = UploadSettings()
    media: MediaSettings = MediaSettings()
    contacts: ContactSettings = ContactSettings()
    technology: TechnologySettings = TechnologySettings()
    transfer: TransferSettings = TransferSettings()


def load(home: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read and check the settings of the region at `home`.

    Raises:
        BadSetting: with the name of the setting, what was found and what would be right.
    """
    path = home / "region.toml"
    try:
        tables: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        sentence = f"There is no region at {home}: make one with `reelm init {home}`."
        raise BadSetting(sentence) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path} is not valid TOML: {error}.") from None
    for variable, section, key, hint in _variables():
        if variable in environ:
            table = tables.setdefault(section, {})
            table[key] = _from_text(variable, environ[variable], hint)
    return _checked(tables, path)


def describe() -> Iterator[tuple[str, str, str, str]]:
    """Yield (setting, environment variable, default, description) for each setting."""
    for variable, section, key, hint in _variables():
        field = next(f for f in msgspec.structs.fields(_SECTIONS[section]) if f.name == key)
        default = field.default_factory() if callable(field.default_factory) else field.default
        text = "required" if default is msgspec.NODEFAULT else msgspec.json.encode(default).decode()
        description = next(m.description for m in hint.__metadata__ if m.description)
        yield f"{section}.{key}", variable, text, description


_SECTIONS: dict[str, type[_Section]] = {
    "region": RegionSettings,
    "http": HttpSettings,
    "database": DatabaseSettings,
    "storage": StorageSettings,
    "upload": UploadSettings,
    "media": MediaSettings,
    "contacts": ContactSettings,
    "technology": TechnologySettings,
    "transfer": TransferSettings,
}


def _variables() -> Iterator[tuple[str, str, str, Any]]:
    for section, struct in _SECTIONS.items():
        for key, hint in get_type_hints(struct, include_extras=True).items():
            yield f"REELM_{section}_{key}".upper(), section, key, hint


def _from_text(variable: str, text: str, hint: Any) -> object:
    plain = hint.__origin__
    if plain == list[str]:
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return msgspec.convert(text, hint, strict=False)
    except msgspec.ValidationError as error:
        # The value is not repeated: it may be a secret.
        raise BadSetting(f"{variable} has no valid value: {error}.") from None


def _checked(tables: dict[str, Any], path: Path) -> Settings:
    try:
        settings = msgspec.convert(tables, Settings)
    except msgspec.ValidationError as error:
        raise BadSetting(f"{path}: {error}. `docs/operate.md` lists the settings.") from None
    url = settings.database.url
    if url and not url.startswith(("postgresql://", "postgres://")):
        raise BadSetting("database.url must begin with postgresql://, or be empty for embedded.")
    if settings.storage.url and not settings.storage.url.startswith("s3://"):
        raise BadSetting("storage.url must begin with s3://, or be empty for the local folder.")
    _check_country(settings.region.data_country)
    _check_contacts(settings.contacts)
    return settings


def _check_country(code: str) -> None:
    try:
        require_countries([code] if code else [], what="region.data_country")
    except Invalid as error:
        raise BadSetting(error.sentence) from None


def _check_contacts(contacts: ContactSettings) -> None:
    for line in contacts.officers.splitlines():
        title, colon, reach = line.partition(":")
        if line.strip() and not (colon and title.strip() and reach.strip()):
            raise BadSetting(
                "contacts.officers needs lines such as `Grievance Officer: name, address`."
            )
    for address in contacts.security:
        starts = address.startswith(("mailto:", "https://", "tel:"))
        if not starts or not address.isprintable() or " " in address:
            raise BadSetting("contacts.security needs addresses with mailto:, https:// or tel:.")
    for language in contacts.languages:
        if not re.fullmatch("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", language):
            raise BadSetting("contacts.languages needs tags such as en or hi (RFC 5646).")
