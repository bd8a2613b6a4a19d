CALL projector.unwatch('recycling_processing');
CALL projector.unwatch('recycling_collections');
CALL projector.unwatch('aisp_transactions');
CALL projector.unwatch('aisp_accounts');
CALL projector.take_from_policies('recycling_processing');
CALL projector.take_from_policies('recycling_collections');
CALL projector.take_from_policies('aisp_transactions');
CALL projector.take_from_policies('aisp_accounts');
