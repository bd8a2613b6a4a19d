DROP TABLE journal.relays;
