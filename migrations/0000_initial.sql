CREATE TABLE "orders" (
	"id" uuid PRIMARY KEY NOT NULL,
	"owner" text NOT NULL,
	"item" text NOT NULL,
	"quantity" integer NOT NULL,
	"status" text DEFAULT 'placed' NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "orders_status" CHECK ("orders"."status" in ('placed', 'fulfilled', 'cancelled')),
	CONSTRAINT "orders_quantity" CHECK ("orders"."quantity" between 1 and 1000)
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"caller" text NOT NULL,
	"key" text NOT NULL,
	"fingerprint" text NOT NULL,
	"status" integer NOT NULL,
	"headers" jsonb NOT NULL,
	"body" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_keys_caller_key_pk" PRIMARY KEY("caller","key")
);
--> statement-breakpoint
CREATE INDEX "orders_owner_id" ON "orders" USING btree ("owner","id");