-- A message that AWS has under several ids costs the sum of them, however late their prices come.

ALTER TABLE messages ADD COLUMN other_ids BOOLEAN DEFAULT false NOT NULL;
