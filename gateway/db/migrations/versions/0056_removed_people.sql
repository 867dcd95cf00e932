-- The operator takes people out of the console; their browsers' sessions go with them.

GRANT DELETE ON console_people TO tollgate_worker;
