-- Policies and watchers for accounts elsewhere and for collections: their user's, their customer's.
CALL projector.put_under_policies('aisp_accounts', 'user_id = (SELECT projector.current_user_id())', 'user_accounts_policy');
CALL projector.put_under_policies('aisp_transactions',
    'account_id = ANY (ARRAY(SELECT a.id FROM public.aisp_accounts a WHERE a.user_id = (SELECT projector.current_user_id())))');
CALL projector.put_under_policies('recycling_collections', 'customer_id = (SELECT projector.current_user_id())');
CALL projector.put_under_policies('recycling_processing',
    'collection_id = ANY (ARRAY(SELECT c.id FROM public.recycling_collections c WHERE c.customer_id = (SELECT projector.current_user_id())))');

CALL projector.watch('aisp_accounts', 'id', '{id}');
CALL projector.watch('aisp_transactions', 'id', '{id,transaction_date}');
CALL projector.watch('recycling_collections', 'id', '{id}');
CALL projector.watch('recycling_processing', 'id', '{id}');
