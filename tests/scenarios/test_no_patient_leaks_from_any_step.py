"""Fifty planted patients: no form of their names, phones and addresses in files, output or process arguments."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from journey_driver import World

PLANTED = 50


def forms(text: str) -> Iterator[bytes]:
    """The text as any careless code could have written it."""
    plain = text.encode()
    yield plain
    yield text.encode("utf-16-le")
    yield text.encode("utf-16-be")
    yield plain.hex().encode()
    yield plain.hex().upper().encode()
    for shift in range(3):  # base64 depends on where in a longer text the words stand
        whole = base64.b64encode(bytes(shift) + plain)
        yield whole[4 if shift else 0 : -4]


def plant(world: World) -> list[str]:
    """Give fifty patients names and streets that share a root no other text has, and phones; answers what to look for."""
    words = ["Qvanterlik", "qvanterlik", "Zwobbelgasse", "zwobbelgasse"]
    chosen = world.patients()[:PLANTED]
    assert len(chosen) == PLANTED
    for number, patient in enumerate(chosen):
        name, phone, street = f"Qvanterlik{number:02}x", f"07700 9{number:02}137", f"{number} Zwobbelgasse Vierteln"
        fields = {"lastName": name, "mobilePhone": phone, "addressLine1": street, "email": f"{name}@example.org"}
        world.mutate("update", "patient", patient, **fields)
        if number % 5 == 0:
            words += [phone, "+447700" + phone[6:].replace(" ", "")]
    for entity, field in (("clinicalNote", "text"), ("document", "fileName"), ("paymentLink", "customerId")):
        mine = [one for one, row in world.read(entity).items() if row["patientId"] in chosen]
        assert mine, entity
        world.mutate("update", entity, mine[0], **{field: f"Qvanterlik {entity}"})
    return words


def watch(arguments: set[bytes], ended: threading.Event) -> None:
    """Collect the arguments of every process while the steps run."""
    while not ended.is_set():
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                arguments.add(path.read_bytes())
            except OSError:  # it has ended meanwhile
                continue
        time.sleep(0.05)


def test_no_patient_leaks_from_any_step(deployed: World) -> None:
    words = plant(deployed)
    arguments, ended = set[bytes](), threading.Event()
    watcher = threading.Thread(target=watch, args=(arguments, ended))
    watcher.start()
    try:
        for step in ("extract --full", "profile", "propose", "estimate", "sample --go --size 100"):
            deployed.run(*step.split())
        deployed.mutate("update", "patient", deployed.patients()[0], firstName="Qvanterlik00x")
        steps = (
            "load --go --without-sample",
            "delta --go",
            "reconcile",
            "rebuild",
            "status",
            "audit --verify",
            "rollback",
        )
        for step in steps:
            deployed.run(*step.split())
        plain = deployed.run("sample", "--workspace", str(deployed.workspace), bare=True)
        assert plain.code == 0, plain.err[-400:]
    finally:
        ended.set()
        watcher.join()
    landed = deployed.soql("SELECT LastName FROM Contact WHERE LastName LIKE 'Qvanterlik%'")
    assert len(landed) == PLANTED
    assert deployed.soql("SELECT Id FROM Document__c WHERE File_Name__c LIKE 'Qvanterlik%'")
    heap = {"arguments": b"\0".join(arguments)}
    heap |= {f"{done.words} said": (done.out + done.err).encode() for done in deployed.said}
    home = deployed.workspace.parent  # the workspace and the state folder
    heap |= {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert len(heap) > 15
    wanted = [form for word in words for form in forms(word)]
    leaks = {place: [form for form in wanted if form in content][:2] for place, content in heap.items()}
    assert {place: found for place, found in leaks.items() if found} == {}
