CREATE TABLE "orders" (
	"id" uuid PRIMARY KEY NOT NULL,
	"owner" text NOT NULL,
	"item" text NOT NULL,
	"quantity" integer NOT NULL,
	"status" text DEFAULT 'placed' NOT NULL,
	"task_id" uuid,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT runtime.service_now() NOT NULL,
	CONSTRAINT "orders_status" CHECK ("orders"."status" in ('placed', 'fulfilled', 'cancelled')),
	CONSTRAINT "orders_quantity" CHECK ("orders"."quantity" between 1 and 1000)
);
--> statement-breakpoint
CREATE INDEX "orders_owner_id" ON "orders" USING btree ("owner","id");--> statement-breakpoint
CREATE INDEX "orders_placed" ON "orders" USING btree ("created_at") WHERE "orders"."status" = 'placed';