-- The one clock of the service. Tests replace it to move the time.
CREATE FUNCTION service_now() RETURNS timestamp with time zone LANGUAGE sql STABLE PARALLEL SAFE RETURN now();
