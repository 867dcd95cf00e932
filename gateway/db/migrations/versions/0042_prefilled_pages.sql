-- Whoever approves an onboarding publishes the hosted pages that its answers give.

GRANT INSERT, UPDATE ON hosted_pages TO tollgate_worker;
