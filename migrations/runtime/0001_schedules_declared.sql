-- A revision from before inserts and updates by name alone, and names no constraint: it goes on.
ALTER TABLE "runtime"."schedules" DROP CONSTRAINT "schedules_pkey";--> statement-breakpoint
ALTER TABLE "runtime"."schedules" ADD COLUMN "pattern" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "runtime"."schedules" ADD COLUMN "declared_at" timestamp (3) with time zone DEFAULT runtime.service_now() NOT NULL;--> statement-breakpoint
ALTER TABLE "runtime"."schedules" ADD COLUMN "gone_since" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "runtime"."schedules" ADD CONSTRAINT "schedules_name_pattern_pk" PRIMARY KEY("name","pattern");
