CALL journal.append(
    $1, $2, $3::journal.append_request[], $4::journal.append_stream[], $5::journal.append_event[],
    $6::journal.append_guard[], $7::journal.append_reference[], $8::journal.append_claim[], $9::journal.append_inner[],
    $10, $11::journal.append_hold[], $12, $13, NULL, NULL, NULL)
