"""The notice in the W3C Data Privacy Vocabulary 2: what machines that compare notices read."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext

from service.declaration.stored import STORED
from service.declaration.terms import Basis, Form, Item, Purpose, Retention, Source
from service.notice import Notice
from service.privacy import words

_CONTEXT: dict[str, Any] = {
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "dct": "http://purl.org/dc/terms/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_PURPOSES = {
    Purpose.DECIDE: "dpv:MisusePreventionAndDetection",
    Purpose.REVIEW: "dpv:Verification",
    Purpose.LEARN: "dpv:ServiceOptimisation",
    Purpose.RUN: "dpv:TechnicalServiceProvision",
}
_BASES = {Basis.LEGITIMATE_INTEREST: ["dpv:LegitimateInterestOfController", "eu-gdpr:A6-1-f-controller"]}
_KINDS = {
    Form.CLEAR: "dpv:ProvidedPersonalData",
    Form.HASHED: "dpv:PseudonymisedData",
    Form.DERIVED: "dpv:DerivedPersonalData",
    Form.COUNTED: "dpv:DerivedData",
}
_SOURCES = {
    Source.COMMENTER: "dpv:DataSubjectDataSource",
    Source.BROWSER: "dpv:DataSubjectDataSource",
    Source.SITE: "dpv:ThirdPartyDataSource",
    Source.MODERATOR: "dpv:ThirdPartyDataSource",
    Source.REPLYGUARD: "dpv:DataControllerDataSource",
}
_RIGHTS = ("A15", "A16", "A17", "A18", "A21", "A22", "A77")
#: Not to be left to an automated decision alone.
_TO_A_PERSON = "A22"


def as_linked_data(notice: Notice, address: str, language: str, appeal: str) -> dict[str, Any]:
    """Return a notice as JSON-LD.

    Parameters
    ----------
    notice : Notice
    address : str
        Of the notice; names its parts too.
    language : str
    appeal : str
        Address at which a commenter asks for a person to look.
    """
    content: dict[str, Any] = {
        "@context": _CONTEXT | {"@language": language},
        "@id": address,
        "@type": "dpv:PrivacyNotice",
        "dct:title": gettext("How your comment data is processed"),
        "dct:identifier": notice.fingerprint,
        "dpv:hasDataController": _controller(notice, address),
        "dpv:hasDataSubject": {"@id": "dpv:User"},
        "dpv:hasProcess": [_process(notice, address, table, items) for table, items in STORED.items()],
        "dpv:hasRight": [_right(right, appeal) for right in _RIGHTS],
    }
    if notice.changes:
        content["dct:modified"] = {"@type": "xsd:dateTime", "@value": notice.changes[0].at.isoformat()}
    if notice.tells_site:
        content["dpv:hasRecipient"] = {
            "@id": f"{address}#site",
            "@type": "dpv:Recipient",
            "dct:description": gettext("the site itself, at its own address"),
        }
    return content


def _right(right: str, appeal: str) -> dict[str, Any]:
    if right != _TO_A_PERSON:
        return {"@id": f"eu-gdpr:{right}"}
    exercised = {
        "@id": appeal,
        "@type": "dpv:RightExerciseNotice",
        "dct:title": gettext("Ask for a person to look at your comment"),
    }
    return {"@id": f"eu-gdpr:{right}", "dpv:isExercisedAt": exercised}


def _controller(notice: Notice, address: str) -> dict[str, Any]:
    controller: dict[str, Any] = {"@id": f"{address}#controller", "@type": "dpv:DataController"}
    if notice.controller.name:
        controller["dpv:hasName"] = notice.controller.name
    if notice.controller.contact:
        controller["dpv:hasContact"] = notice.controller.contact
    return controller


def _process(notice: Notice, address: str, table: str, items: dict[str, Item]) -> dict[str, Any]:
    purposes = sorted(
        {purpose for item in items.values() for purpose in item.purposes}, key=lambda each: each.value
    )
    bases = [name for basis in {purpose.basis for purpose in purposes} for name in _BASES[basis]]
    retention = next(iter(items.values())).retention
    process: dict[str, Any] = {
        "@id": f"{address}#{table}",
        "@type": "dpv:PersonalDataProcess",
        "dct:title": gettext(words.TABLES[table]),
        "dpv:hasPurpose": [{"@id": _PURPOSES[purpose]} for purpose in purposes],
        "dpv:hasLegalBasis": [{"@id": name} for name in bases],
        "dpv:hasProcessing": [{"@id": "dpv:Store"}],
        "dpv:hasStorageCondition": _storage(notice, address, table, retention),
        "dpv:hasPersonalData": [
            {
                "@id": f"{address}#{table}.{name}",
                "@type": _KINDS[item.form],
                "dct:title": gettext(item.words),
                "dpv:hasDataSource": {"@id": _SOURCES[item.source]},
            }
            for name, item in items.items()
        ],
    }
    if any(item.form is Form.HASHED for item in items.values()):
        process["dpv:hasProcessing"].append({"@id": "dpv:Pseudonymise"})
        process["dpv:hasTechnicalMeasure"] = [
            {"@id": "dpv:Pseudonymisation"},
            {"@id": "dpv:HashMessageAuthenticationCode"},
        ]
    if table == "checks":
        process["dpv:hasProcessing"].append({"@id": "dpv:Assess"})
        process["dpv:hasContext"] = {
            "@id": f"{address}#decision",
            "@type": "dpv:AutomatedDecisionMaking",
            "dct:description": gettext(words.UNSURE[notice.unsure]),
            "dpv:hasAutomationLevel": {"@id": "dpv:ConditionalAutomation"},
            "dpv:hasHumanInvolvement": [
                {"@id": "dpv:HumanInvolvementForIntervention"},
                {"@id": "dpv:HumanInvolvementForOversight"},
            ],
            "dpv:hasEntityInvolvement": {"@id": "dpv:ChallengingProcessOutput"},
        }
    return process


def _storage(notice: Notice, address: str, table: str, retention: Retention) -> dict[str, Any]:
    duration: dict[str, Any] = {"@id": f"{address}#{table}-duration"}
    n_days = notice.days.get(retention, 0)
    if n_days:
        duration["@type"] = "dpv:TemporalDuration"
        duration["dct:extent"] = {"@type": "xsd:duration", "@value": f"P{n_days}D"}
    else:
        duration["@type"] = "dpv:UntilEventDuration"
        duration["dct:description"] = words.kept_for(retention, notice)
    return {
        "@id": f"{address}#{table}-storage",
        "@type": "dpv:StorageDuration",
        "dpv:hasDuration": duration,
    }
