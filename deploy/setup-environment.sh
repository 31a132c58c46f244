# shellcheck shell=bash disable=SC2154
# What deploy/setup makes for each environment. Staging's accounts get no right to anything of live, and live's to nothing
# of staging.
#
# On one Cloud SQL instance each has a database, a user and a password. That does not separate them completely: users that
# Google makes belong to the role cloudsqlsuperuser, and so do the databases. So each user may connect to the other's
# database, and drop it or its tables, but not read them. `separate` ends this.

sql_instance() {
  local is='' instances
  instances=$(retry gcloud sql instances list "${project[@]}" --format='value(name)')
  if new "instance $instance" "$instance" "$instances"; then
    make gcloud sql instances create "$instance" "${project[@]}" --region "$REGION" --database-version POSTGRES_18 \
      --edition enterprise --tier db-f1-micro --storage-size 10 --storage-auto-increase --storage-auto-increase-limit 50 \
      --data-api-access ALLOW_DATA_API --backup-start-time 02:00 \
      --enable-point-in-time-recovery --deletion-protection --async --format none
  fi
  for _ in {1..120}; do # it may still be in the making, also since an earlier run
    is=$(retry gcloud sql instances describe "$instance" "${project[@]}" --format='value(state)')
    [[ -z $dry_run && $is != RUNNABLE ]] || break
    sleep 10
  done
  [[ -n $dry_run || $is = RUNNABLE ]] || fail "The instance $instance is $is after 20 minutes"
  databases=$(retry gcloud sql databases list --instance "$instance" "${project[@]}" --format='value(name)')
  users=$(retry gcloud sql users list --instance "$instance" "${project[@]}" --format='value(name)')
}

# sql_user VERB PASSWORD: VERB is create or set-password
sql_user() {
  gcloud sql users "$1" "$name" --instance "$instance" "${project[@]}" --format none --flags-file=- < <(printf -- '--password: "%s"\n' "$2")
}

# Makes the environment's database and user, and the secret with both. The user comes first: if the run is stopped in
# between, the next run gives the user another password, since nobody has used the first one. If there is a secret but no
# user, the user gets the password of the secret
sql_database() {
  local secret=$name-database-url password verb=create
  if new "database $name" "$name" "$databases"; then
    make gcloud sql databases create "$name" --instance "$instance" "${project[@]}" --format none
  fi
  if new "user $name" "$name" "$users"; then
    if stored "$secret"; then
      password=$(retry gcloud secrets versions access latest --secret "$secret" "${project[@]}" |
        sed -n "s|^postgres://$name:\([0-9a-f]*\)@/.*|\1|p")
      [ -n "$password" ] || fail "The secret $secret has no password of $name: with a database of yours, \
give both _DATABASE_URLs, or say _CLOUD_SQL: none in cloudbuild.yaml"
      make sql_user create "$password"
      return
    fi
  elif stored "$secret"; then
    there "secret $secret"
    return
  else
    verb=set-password
  fi
  password=$(random hex 24)
  make sql_user $verb "$password"
  separate "$password" || left+=("$separation")
  secret "$secret" "postgres://$name:$password@/$name?host=/cloudsql/$PROJECT_ID:$REGION:$instance"
}

# separate PASSWORD: keeps the other environment's user out of this database. The database's own user runs the statements.
# Google reads its password from a secret of the region, which exists for that minute only
separate() {
  local secret=$name-set-up regional=(--location "$REGION" "${project[@]}") status=0
  separation="Keep others out of the database $name: as its user, in Cloud SQL Studio, $(statements)"
  { make gcloud secrets create "$secret" "${regional[@]}" --format none &&
    retry regional_version "$secret" "$1" &&
    retry gcloud sql instances execute-sql "$instance" "${project[@]}" --database "$name" --user "$name" --sql "$(statements)" \
      --password-secret-version "projects/$PROJECT_ID/locations/$REGION/secrets/$secret/versions/latest" --format none; } || status=1
  retry gcloud secrets delete "$secret" "${regional[@]}" --quiet || status=1
  return $status
}
regional_version() {
  gcloud secrets versions add "$1" --location "$REGION" "${project[@]}" --data-file=- --format none < <(printf %s "$2")
}
statements() {
  printf 'alter database "%s" owner to "%s"; revoke all on database "%s" from public' "$name" "$name" "$name"
}

# Makes what deploy/monitoring/ says for live. Google may not know a new metric at once: then a build makes the alerts
set_up_monitoring() {
  local status pause
  environment live
  for pause in 5 15 0; do # the API may have been enabled just now
    status=0
    apply_monitoring || status=$?
    [ $status = 1 ] || break
    sleep $pause
  done
  [ $status != 1 ] || left+=("The alerts are not complete, see above: deploy/alerts live --project $PROJECT_ID")
  [ -n "$ALERT_EMAIL" ] || left+=('In cloudbuild.yaml: _ALERT_EMAIL: who is told when something is wrong in live')
}

# set_up_environment NAME DATABASE_URL
set_up_environment() {
  environment "$1"
  section "Environment $1"
  local lines listed secret runtime=$name@$PROJECT_ID.iam.gserviceaccount.com
  local invoker=$name-tasks@$PROJECT_ID.iam.gserviceaccount.com queue=$name
  lines=$(variables "$1")
  listed=$(sed -n 's/^[A-Z0-9_]*=secret://p' <<<"$lines" | sort -u)

  account "$name" "Runs $name"
  account "$name-tasks" "Cloud Tasks and Cloud Scheduler call $name as this"
  if new "queue $queue" "$queue" "$queues"; then
    make gcloud tasks queues create "$queue" "${located[@]}" --format none # a deploy sets its limits
  fi

  if [ -n "$2" ]; then
    secret "$name-database-url" "$2"
  elif [ -n "$instance" ]; then
    sql_database
  fi
  if [ "$1" = staging ] || grep -qx auth-secret <<<"$listed"; then # a build reads staging's, to sign tokens for its tests
    secret "$name-auth-secret" "$(random base64 48)"
  fi

  # The service may read its secrets, use its queue (the viewer role lets it look a task up), connect to its database, and
  # have tasks sent in the invoker's name
  for secret in $listed; do
    if grep -qxF -- "$name-$secret" <<<"$secrets"; then
      grant secretmanager.secretAccessor "$runtime" secrets add-iam-policy-binding "$name-$secret" "${project[@]}"
      grant secretmanager.viewer "$build" secrets add-iam-policy-binding "$name-$secret" "${project[@]}"
    else
      missing+=("$name-$secret")
    fi
  done
  grant cloudtasks.enqueuer "$runtime" tasks queues add-iam-policy-binding "$queue" "${located[@]}"
  grant cloudtasks.viewer "$runtime" tasks queues add-iam-policy-binding "$queue" "${located[@]}"
  grant iam.serviceAccountUser "$runtime" iam service-accounts add-iam-policy-binding "$invoker" "${project[@]}"
  if [ -n "$connected" ]; then
    grant cloudsql.client "$runtime" projects add-iam-policy-binding "$PROJECT_ID" --condition "title=$connected,\
expression=resource.name == \"projects/$PROJECT_ID/instances/$connected\" && resource.type == \"sqladmin.googleapis.com/Instance\""
  fi

  # A build deploys as the service's account, and has the tick sent as the invoker
  grant iam.serviceAccountUser "$build" iam service-accounts add-iam-policy-binding "$runtime" "${project[@]}"
  grant iam.serviceAccountUser "$build" iam service-accounts add-iam-policy-binding "$invoker" "${project[@]}"
}
