CREATE TABLE "runtime"."signals" (
	"task" text NOT NULL,
	"name" text NOT NULL,
	"key" text NOT NULL,
	"payload" jsonb,
	"arrived_at" timestamp (3) with time zone,
	"touched_at" timestamp (3) with time zone DEFAULT runtime.service_now() NOT NULL,
	CONSTRAINT "signals_task_name_key_pk" PRIMARY KEY("task","name","key")
);
--> statement-breakpoint
CREATE TABLE "runtime"."steps" (
	"task_id" uuid NOT NULL,
	"name" text NOT NULL,
	"kind" text NOT NULL,
	"result" jsonb,
	"cursor" jsonb,
	"tries" integer DEFAULT 0 NOT NULL,
	"max_tries" integer,
	"last_error" text,
	"undoable" boolean DEFAULT false NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"finished_at" timestamp (3) with time zone,
	"until" timestamp (3) with time zone,
	"revision" text,
	CONSTRAINT "steps_task_id_name_pk" PRIMARY KEY("task_id","name")
);
--> statement-breakpoint
ALTER TABLE "runtime"."tasks" ADD COLUMN "errors" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "runtime"."tasks" ADD COLUMN "waits_for" text;--> statement-breakpoint
ALTER TABLE "runtime"."tasks" ADD COLUMN "waits_key" text;--> statement-breakpoint
ALTER TABLE "runtime"."tasks" ADD COLUMN "undoing" text;--> statement-breakpoint
ALTER TABLE "runtime"."tasks" ADD COLUMN "undone" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "runtime"."steps" ADD CONSTRAINT "steps_task_id_tasks_id_fk" FOREIGN KEY ("task_id") REFERENCES "runtime"."tasks"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "signals_touched" ON "runtime"."signals" USING btree ("touched_at");--> statement-breakpoint
CREATE INDEX "tasks_waiting" ON "runtime"."tasks" USING btree ("name","waits_for","waits_key") WHERE "runtime"."tasks"."waits_key" is not null;