CREATE TABLE "runtime"."batch_counts" (
	"batch_id" uuid NOT NULL,
	"slot" smallint NOT NULL,
	"open" integer NOT NULL,
	"done" integer DEFAULT 0 NOT NULL,
	"dead" integer DEFAULT 0 NOT NULL,
	"cancelled" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "batch_counts_batch_id_slot_pk" PRIMARY KEY("batch_id","slot")
);
--> statement-breakpoint
CREATE TABLE "runtime"."batches" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"size" integer NOT NULL,
	"open" integer NOT NULL,
	"final_id" uuid,
	"final_name" text,
	"final_payload" jsonb,
	"request_id" text,
	"trace_id" text,
	"subject" text,
	"revision" text,
	"created_at" timestamp (3) with time zone DEFAULT runtime.service_now() NOT NULL,
	"cancelled_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "runtime"."tasks" ADD COLUMN "batch_id" uuid;--> statement-breakpoint
ALTER TABLE "runtime"."batch_counts" ADD CONSTRAINT "batch_counts_batch_id_batches_id_fk" FOREIGN KEY ("batch_id") REFERENCES "runtime"."batches"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "batches_finished" ON "runtime"."batches" USING btree ("finished_at");--> statement-breakpoint
CREATE INDEX "tasks_batch" ON "runtime"."tasks" USING btree ("batch_id","state","id") WHERE "runtime"."tasks"."batch_id" is not null;
--> statement-breakpoint
-- By hand: a trigger counts the ends of a batch's tasks. So any revision counts them, also one from before batches. It runs at
-- the end of the transaction that ends a task, so no effect runs while it holds a counter. It locks in one order: the task, its
-- counter, the batch.
CREATE FUNCTION runtime.count_in_batch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	digit CONSTANT smallint := get_byte(uuid_send(NEW.id), 15) & 15;
	change CONSTANT integer := CASE WHEN NEW.state IN ('done', 'dead', 'cancelled') THEN 1 ELSE -1 END;
	ended CONSTANT text := CASE change WHEN 1 THEN NEW.state ELSE OLD.state END;
	open_before integer;
	counters_left integer;
BEGIN
	SELECT open INTO open_before FROM runtime.batch_counts WHERE batch_id = NEW.batch_id AND slot = digit FOR UPDATE;
	-- A task that was redriven after the end of its batch changes nothing.
	IF change = 1 AND coalesce(open_before, 0) = 0 THEN RETURN NULL; END IF;
	IF change = -1 AND coalesce(open_before, 0) = 0 THEN
		UPDATE runtime.batches SET open = open + 1 WHERE id = NEW.batch_id AND finished_at IS NULL;
		IF NOT FOUND THEN RETURN NULL; END IF;
	END IF;
	UPDATE runtime.batch_counts SET open = open - change,
		done = done + CASE ended WHEN 'done' THEN change ELSE 0 END,
		dead = dead + CASE ended WHEN 'dead' THEN change ELSE 0 END,
		cancelled = cancelled + CASE ended WHEN 'cancelled' THEN change ELSE 0 END
		WHERE batch_id = NEW.batch_id AND slot = digit;
	IF change = 1 AND open_before = 1 THEN
		UPDATE runtime.batches SET open = open - 1 WHERE id = NEW.batch_id RETURNING open INTO counters_left;
		IF counters_left = 0 THEN PERFORM runtime.end_batch(NEW.batch_id); END IF;
	END IF;
	RETURN NULL;
END $$;
--> statement-breakpoint
CREATE CONSTRAINT TRIGGER count_in_batch AFTER UPDATE OF state ON runtime.tasks DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
	WHEN (NEW.batch_id IS NOT NULL AND (OLD.state IN ('done', 'dead', 'cancelled')) <> (NEW.state IN ('done', 'dead', 'cancelled')))
	EXECUTE FUNCTION runtime.count_in_batch();
--> statement-breakpoint
-- Ends a batch, and enqueues its final task. Any request or tick may send that task at once.
CREATE FUNCTION runtime.end_batch(batch uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE runtime.batches SET finished_at = runtime.service_now() WHERE id = batch;
	INSERT INTO runtime.tasks (id, name, payload, due_at, touched_at, request_id, trace_id, subject, revision)
		SELECT final_id, final_name,
			final_payload || jsonb_build_object('batch', jsonb_build_object('id', id, 'size', size,
				'done', sum.done, 'dead', sum.dead, 'cancelled', sum.cancelled)),
			runtime.service_now(), runtime.service_now() - interval '1 minute', request_id, trace_id, subject, revision
		FROM runtime.batches, LATERAL (
			SELECT coalesce(sum(done), 0) AS done, coalesce(sum(dead), 0) AS dead, coalesce(sum(cancelled), 0) AS cancelled
			FROM runtime.batch_counts WHERE batch_id = batch
		) AS sum WHERE id = batch AND final_id IS NOT NULL;
END $$;
