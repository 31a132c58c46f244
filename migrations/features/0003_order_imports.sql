CREATE TABLE "order_import_lines" (
	"import_id" uuid NOT NULL,
	"line" integer NOT NULL,
	"item" text,
	"quantity" integer,
	"error" text,
	"order_id" uuid,
	CONSTRAINT "order_import_lines_import_id_line_pk" PRIMARY KEY("import_id","line")
);
--> statement-breakpoint
CREATE TABLE "order_imports" (
	"id" uuid PRIMARY KEY NOT NULL,
	"owner" text NOT NULL,
	"file" text NOT NULL,
	"state" text DEFAULT 'reading' NOT NULL,
	"failure" text,
	"created_at" timestamp (3) with time zone DEFAULT runtime.service_now() NOT NULL,
	CONSTRAINT "order_imports_state" CHECK ("order_imports"."state" in ('reading', 'placing', 'done', 'failed'))
);
--> statement-breakpoint
ALTER TABLE "order_import_lines" ADD CONSTRAINT "order_import_lines_import_id_order_imports_id_fk" FOREIGN KEY ("import_id") REFERENCES "public"."order_imports"("id") ON DELETE no action ON UPDATE no action;