-- What psql's \d commands show of tables, views, indexes, sequences, roles and rights.
CREATE TABLE own_items (
  id serial PRIMARY KEY,
  label text DEFAULT 'none' NOT NULL,
  amount numeric(10,2) CHECK (amount > 0 AND amount < 1000),
  size varchar(10),
  made date DEFAULT CURRENT_DATE,
  UNIQUE (label, size)
);
CREATE TABLE own_parts (
  item int REFERENCES own_items (id) ON UPDATE CASCADE ON DELETE SET NULL,
  number int GENERATED ALWAYS AS IDENTITY,
  twice int GENERATED ALWAYS AS (number * 2) STORED,
  note text CONSTRAINT short CHECK (length(note) < 10 OR note LIKE 'x%'),
  PRIMARY KEY (number)
);
CREATE INDEX own_items_lower ON own_items (lower(label), amount DESC NULLS LAST);
CREATE UNIQUE INDEX own_items_part ON own_items (size) INCLUDE (amount) WHERE amount > 5 AND label <> 'a';
CREATE VIEW own_view AS
  SELECT i.id, p.note, CASE WHEN i.amount > 5 THEN 'big' ELSE 'small' END AS class, count(*) AS n
  FROM own_items i LEFT JOIN own_parts p ON p.item = i.id
  WHERE i.amount IS NOT NULL AND (i.size = 'x' OR i.id + 1 > 2 * 3)
  GROUP BY i.id, p.note, i.amount HAVING count(*) > 0 ORDER BY i.id DESC;
COMMENT ON TABLE own_items IS 'things';
COMMENT ON COLUMN own_items.label IS 'what it is called';
\d own_items
\d own_parts
\d own_view
\d+ own_items
\d+ own_view
\d own_items_lower
\d own_items_part
\d own_items_id_seq
\d own_parts_number_seq
\dt own_*
\di own_*
\dv own_*
\ds own_*
\d nothing_like_this
CREATE ROLE own_reader;
CREATE ROLE own_group CREATEDB;
GRANT own_group TO own_reader;
GRANT SELECT, UPDATE ON own_items TO own_reader WITH GRANT OPTION;
GRANT SELECT ON own_view TO PUBLIC;
\dp own_items
\dp own_view
\du own_*
CREATE SCHEMA own_schema;
GRANT USAGE ON SCHEMA own_schema TO own_reader;
\dn own_*
\dT own_*
\df own_*
SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'own_items' ORDER BY 1;
SELECT viewname, definition FROM pg_views WHERE viewname = 'own_view';
SELECT tablename, tableowner, hasindexes FROM pg_tables WHERE tablename LIKE 'own\_%' ORDER BY 1;
SELECT sequencename, data_type, start_value, last_value FROM pg_sequences WHERE sequencename LIKE 'own\_%' ORDER BY 1;
SELECT rolname, rolcreatedb, rolcanlogin FROM pg_roles WHERE rolname LIKE 'own\_%' ORDER BY 1;
SELECT conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true) FROM pg_constraint WHERE conrelid = 'own_parts'::regclass ORDER BY 1;
DROP VIEW own_view;
DROP TABLE own_parts, own_items;
DROP SCHEMA own_schema;
DROP ROLE own_reader, own_group;
