-- The stock of the throughput comparison in PostgreSQL, and the reserve as a function.
-- psql fills in :sku_count, :location_count and :on_hand.

CREATE TABLE stock (
    sku int, location int, on_hand bigint NOT NULL, held bigint NOT NULL,
    PRIMARY KEY (sku, location)
) WITH (fillfactor = 50);

CREATE TABLE reservation (
    reservation_id bigserial PRIMARY KEY, lines int[] NOT NULL, expire_time timestamptz NOT NULL
);

INSERT INTO stock SELECT sku, location, :on_hand, 0
    FROM generate_series(0, :sku_count - 1) AS sku,
        generate_series(0, :location_count - 1) AS location;

CREATE FUNCTION reserve(a_sku int, a_at int, a_count int, b_sku int, b_at int, b_count int)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    short int;
    made bigint;
BEGIN
    WITH wanted(sku, location, quantity) AS (
        VALUES (a_sku, a_at, a_count), (b_sku, b_at, b_count)
    ), locked AS (
        SELECT stock.on_hand - stock.held AS free, wanted.quantity
        FROM stock JOIN wanted USING (sku, location)
        ORDER BY stock.sku, stock.location FOR UPDATE OF stock
    )
    SELECT count(*) INTO short FROM locked WHERE free < quantity;
    IF short > 0 THEN
        RAISE EXCEPTION 'short';
    END IF;
    UPDATE stock SET held = held + a_count WHERE sku = a_sku AND location = a_at;
    UPDATE stock SET held = held + b_count WHERE sku = b_sku AND location = b_at;
    INSERT INTO reservation (lines, expire_time)
        VALUES (
            ARRAY[a_sku, a_at, a_count, b_sku, b_at, b_count], now() + interval '15 minutes'
        )
        RETURNING reservation_id INTO made;
    RETURN made;
END $$;

ANALYZE;
