"""A CumulusCI project: its flow, its mappings and its datasets."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from cards import FIELDS, KEY, PARENTS, ROWS, bad_cards, card, contact, package

NAMES = [name for name in FIELDS if name != "Contact__c"]
PROJECT = """
minimum_cumulusci_version: '4.0.0'
project:
  name: cards
  package: {name: cards, api_version: '64.0'}
  source_format: mdapi
flows:
  load:
    steps:
      1: {task: deploy, options: {path: src}}
      2: {task: assign_permission_sets, options: {api_names: Cards}}
      3:
        task: load_dataset
        options: {mapping: all.yml, database_url: 'sqlite:///all.db', ignore_row_errors: true}
      4: {task: extract_dataset, options: {mapping: all.yml, database_url: 'sqlite:///out.db'}}
      5: {task: load_dataset, options: {mapping: upsert.yml, database_url: 'sqlite:///again.db'}}
      6: {task: query, options: {object: Card__c, query: 'SELECT Key__c, Title__c FROM Card__c', result_file: q.csv}}
  look:
    steps:
      1: {task: retrieve_unpackaged, options: {path: got, package_xml: src/package.xml}}
      2: {task: get_installed_packages}
      3: {task: generate_dataset_mapping, options: {path: made.yml, include: Card__c}}
      4: {task: composite_request, options: {data_files: composite.json}}
      5: {task: update_data, options: {object: Card__c, where: "Key__c = 'both'", fields: Key__c, recipe: recipe.yml}}
  persons:
    steps:
      1: {task: load_dataset, options: {mapping: persons.yml, database_url: 'sqlite:///persons.db'}}
      2: {task: extract_dataset, options: {mapping: persons.yml, database_url: 'sqlite:///persons_out.db'}}
  clean:
    steps:
      1: {task: delete_data, options: {objects: Card__c, where: "Key__c = 'k0'"}}
      2: {task: delete_data, options: {objects: Card__c, where: "Key__c = 'k1'", hardDelete: true}}
      3: {task: delete_data, options: {objects: 'Card__c,Contact'}}
"""
MAPPING = f"""
Contact:
  sf_object: Contact
  table: contact
  api: bulk
  fields: {{LastName: last_name, {KEY}: key}}
Card:
  sf_object: Card__c
  table: card
  api: bulk
  batch_size: 4000
  fields: [{", ".join(NAMES)}]
  lookups:
    Contact__c: {{table: contact, key_field: contact_id}}
"""
UPSERT = """
Card:
  sf_object: Card__c
  table: card
  api: bulk
  action: upsert
  update_key: Key__c
  fields: [Key__c, Title__c]
"""
SINGLE = f"""
Card:
  sf_object: Card__c
  table: card
  api: rest
  fields: [{", ".join(NAMES)}]
"""
PERSONS = """
Account:
  sf_object: Account
  table: account
  api: bulk
  fields: {Name: name, LastName: last_name, RecordTypeId: kind}
Contact:
  sf_object: Contact
  table: contact
  api: bulk
  fields: {LastName: last_name}
  lookups:
    AccountId: {table: account, key_field: account_id}
Case:
  sf_object: Case
  table: cases
  api: bulk
  fields: {Subject: subject}
  lookups:
    ContactId: {table: contact, key_field: contact_id}
"""
COMPOSITE = """{"allOrNone": true, "compositeRequest": [
 {"method": "POST", "url": "/services/data/v64.0/sobjects/Contact", "referenceId": "p", "body": {"LastName": "Both"}},
 {"method": "POST", "url": "/services/data/v64.0/sobjects/Card__c", "referenceId": "c",
  "body": {"Key__c": "both", "Contact__c": "@{p.id}"}}]}"""
RECIPE = "- object: Card__c\n  fields:\n    Title__c: updated\n"
LOST = "no such parent"
"""The client knows parents by its own numbers only, so this bad row cannot be sent by it."""


def cell(value: Any) -> Any:
    """A value as datasets keep it."""
    return str(value).lower() if isinstance(value, bool) else value


def dataset(path: Path, rows: list[dict[str, Any]], *, parents: bool = False) -> None:
    """A database as the client loads it: a table per object, a parent by its number."""
    columns = [*NAMES, "contact_id"] if parents else NAMES
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE contact (id PRIMARY KEY, last_name, key)")
        base.execute(f"CREATE TABLE card (id PRIMARY KEY, {', '.join(columns)})")
        if parents:
            found = [contact(n) for n in range(PARENTS)]
            values = [(f"Contact-{one[KEY]}", one["LastName"], one[KEY]) for one in found]
            base.executemany("INSERT INTO contact VALUES (?, ?, ?)", values)
        marks = ", ".join("?" * (len(columns) + 1))
        for number, row in enumerate(rows):
            parent = [row["Contact__c"] and f"Contact-{row['Contact__c']}"] if parents else []
            values = [f"Card-{number}", *(cell(row[name]) for name in NAMES), *parent]
            base.execute(f"INSERT INTO card VALUES ({marks})", values)
    base.close()


def persons(path: Path) -> None:
    """Ten accounts with a contact and a case each; every second account is a person and its own contact."""
    tables = {
        "account": "name, last_name, kind, IsPersonAccount", "contact": "last_name, IsPersonAccount, account_id",
        "cases": "subject, contact_id", "account_rt_mapping": "developer_name, is_person_type",
    }  # fmt: skip
    with sqlite3.connect(path) as base:
        for name, columns in tables.items():
            first = "record_type_id" if name == "account_rt_mapping" else "id"
            base.execute(f"CREATE TABLE {name} ({first} PRIMARY KEY, {columns})")
        kinds = [("business", "Business_Account", 0), ("person", "PersonAccount", 1)]
        base.executemany("INSERT INTO account_rt_mapping VALUES (?, ?, ?)", kinds)
        for n in range(10):
            person = ("false", "true")[n % 2]
            account = (f"Account-{n}", *((None, f"Who {n}") if n % 2 else (f"Firm {n}", None)), kinds[n % 2][0], person)
            base.execute("INSERT INTO account VALUES (?, ?, ?, ?, ?)", account)
            base.execute("INSERT INTO contact VALUES (?, ?, ?, ?)", (f"Contact-{n}", f"Who {n}", person, account[0]))
            base.execute("INSERT INTO cases VALUES (?, ?, ?)", (f"Case-{n}", f"About {n}", f"Contact-{n}"))
    base.close()


def write(home: Path) -> None:
    """The whole project, as a folder that the client takes for a working copy."""
    (home / ".git").mkdir()
    (home / "got").mkdir()
    for folder, files in (("src", package()), ("broken", package(broken=True))):
        for path, text in files.items():
            (home / folder / path).parent.mkdir(parents=True, exist_ok=True)
            # the client reads a manifest line by line
            (home / folder / path).write_text(text.replace("><", ">\n<"), encoding="utf-8")
    texts = {
        "cumulusci.yml": PROJECT, "all.yml": MAPPING, "upsert.yml": UPSERT, "single.yml": SINGLE, "persons.yml": PERSONS,
        "composite.json": COMPOSITE, "recipe.yml": RECIPE,
    }  # fmt: skip
    for name, text in texts.items():
        (home / name).write_text(text, encoding="utf-8")
    persons(home / "persons.db")
    rows = [card(n) for n in range(ROWS)]
    rows[ROWS // 2 : ROWS // 2] = [row for row in bad_cards() if row["Key__c"] != LOST]
    dataset(home / "all.db", rows, parents=True)
    dataset(home / "again.db", [card(n) | {"Title__c": "anew"} for n in range(300)])
    dataset(home / "bad.db", [card(1) | {"Key__c": "fresh"}, *bad_cards()])
