-- One reserve by pgbench as an application makes it: a transaction of statements, whose rows are
-- locked in order. pgbench fills in :sku_count and :location_count.
-- The second SKU is always another one, so that no reserve locks a row twice.
\set a_sku random(0, :sku_count - 1)
\set b_sku (:a_sku + random(1, :sku_count - 1)) % :sku_count
\set a_at random(0, :location_count - 1)
\set b_at random(0, :location_count - 1)
BEGIN;
SELECT min(free) AS free FROM (
    SELECT on_hand - held AS free FROM stock
    WHERE (sku, location) IN ((:a_sku, :a_at), (:b_sku, :b_at))
    ORDER BY sku, location FOR UPDATE
) AS locked \gset
\if :free < 2
ROLLBACK;
\else
UPDATE stock SET held = held + 1 WHERE sku = :a_sku AND location = :a_at;
UPDATE stock SET held = held + 2 WHERE sku = :b_sku AND location = :b_at;
INSERT INTO reservation (lines, expire_time) VALUES (
    ARRAY[:a_sku::int, :a_at, 1, :b_sku, :b_at, 2], now() + interval '15 minutes'
);
COMMIT;
\endif
