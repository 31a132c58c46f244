ALTER TABLE "runtime"."steps" ADD COLUMN "undone_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "runtime"."steps" ADD COLUMN "undo_tries" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "runtime"."steps" ADD COLUMN "undo_error" text;--> statement-breakpoint
ALTER TABLE "runtime"."steps" ADD COLUMN "undo_round" integer;