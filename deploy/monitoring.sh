# shellcheck shell=bash disable=SC2154
# Makes the metrics, the alerts and the dashboard of deploy/monitoring/ for the service $name, which `environment` sets.
# Each file is what Google's API takes, with {{service}} and {{project}} in it. What exists is set to what the file says.
# An alert is changed only if its file, or _ALERT_EMAIL, has changed since: a change closes its open incidents. So what you
# set in the console, such as another threshold, stays until then.

# apply_monitoring: status 4 if Google does not know a new metric yet
apply_monitoring() {
  local file known status=0
  filled=$folder/monitoring
  mkdir -p "$filled"/{metrics,policies}
  for file in deploy/monitoring/{metrics,policies}/*.json deploy/monitoring/dashboard.json; do
    sed "s/{{service}}/$name/g; s/{{project}}/$PROJECT_ID/g" "$file" >"$filled/${file#deploy/monitoring/}"
  done
  has_tick=''
  if grep -q '"/runtime/tick"' openapi/internal.json; then has_tick=true; fi

  known=$(gcloud logging metrics list --project "$PROJECT_ID" --format='value(name)') || return 1
  for file in deploy/monitoring/metrics/*.json; do apply_metric "$(basename "$file" .json)" "$known" || return 1; done
  apply_dashboard || return 1
  apply_channel || return 1
  known=$(gcloud monitoring policies list --project "$PROJECT_ID" \
    --format='csv[no-heading](userLabels.service,userLabels.file,userLabels.content,name)') || return 1
  known=$(sed -n "s/^$name,//p" <<<"$known")
  for file in deploy/monitoring/policies/*.json; do
    apply_policy "$(basename "$file" .json)" "$known" || { status=$?; [ $status = 4 ] || return $status; }
  done
  remove_policies "$known" || return 1
  return $status
}

apply_metric() {
  local verb=create
  if grep -qxF -- "$name-$1" <<<"$2"; then verb=update; fi
  gcloud logging metrics $verb "$name-$1" --project "$PROJECT_ID" --config-from-file "$filled/metrics/$1.json" --format none
}

# A change of a dashboard names the version that it changes, its etag
apply_dashboard() {
  local etag known
  known=$(gcloud monitoring dashboards list --project "$PROJECT_ID" --format='csv[no-heading](name.basename(),etag)') || return 1
  etag=$(sed -n "s/^$name,//p" <<<"$known")
  if [ -z "$etag" ]; then
    gcloud monitoring dashboards create --project "$PROJECT_ID" --config-from-file "$filled/dashboard.json" --format none
  else
    sed "1s/{/{ \"etag\": \"$etag\",/" "$filled/dashboard.json" >"$filled/dashboard-now.json"
    gcloud monitoring dashboards update "$name" --project "$PROJECT_ID" --config-from-file "$filled/dashboard-now.json" --format none
  fi
}

# Sets $channel: the one that writes to _ALERT_EMAIL, or nothing if that is empty
apply_channel() {
  local known
  channel=''
  [ -n "$ALERT_EMAIL" ] || return 0
  known=$(gcloud beta monitoring channels list --project "$PROJECT_ID" --type email \
    --format='csv[no-heading](labels.email_address,name)') || return 1
  channel=$(awk -F, -v email="$ALERT_EMAIL" '$1 == email { print $2; exit }' <<<"$known")
  [ -z "$channel" ] || return 0
  channel=$(gcloud beta monitoring channels create --project "$PROJECT_ID" --type email --display-name "Alerts of $SERVICE" \
    --channel-labels "email_address=$ALERT_EMAIL" --format='value(name)')
}

# apply_policy FILE KNOWN: KNOWN are lines FILE,CONTENT,NAME
apply_policy() {
  local file=$1 now content labels existing said=$filled/said
  content=$(cat "$filled/policies/$file.json" <(echo "$channel") | sha256sum | cut -c1-16)
  labels=service=$name,file=$file,content=$content
  existing=$(sed -n "s/^$file,//p" <<<"$2" | head -n 1)
  now=${existing%%,*}
  wanted "$file" || return 0
  [ "$now" != "$content" ] || return 0
  [ -n "${dry_run:-}" ] || echo "alert  $file"
  if [ -z "$existing" ]; then
    gcloud monitoring policies create --project "$PROJECT_ID" --policy-from-file "$filled/policies/$file.json" \
      --user-labels "$labels" ${channel:+--notification-channels "$channel"} --format none 2>"$said"
  else
    gcloud monitoring policies update "${existing#*,}" --project "$PROJECT_ID" --policy-from-file "$filled/policies/$file.json" \
      --update-user-labels "$labels" ${channel:+--set-notification-channels "$channel"} --format none 2>"$said"
  fi || {
    cat "$said" >&2
    # https://cloud.google.com/logging/docs/logs-based-metrics/troubleshooting
    if grep -qi 'cannot find metric' "$said"; then return 4; fi
    return 1
  }
}

# wanted FILE: whether the service can need this alert. One without tasks has no tick, whose lines some alerts read
wanted() { [ -n "$has_tick" ] || ! grep -q '"needs": "tick"' "$filled/policies/$1.json"; }

# remove_policies KNOWN: those whose file is gone, or which the service does not need any more
remove_policies() {
  local file policy
  while IFS=, read -r file _ policy; do
    if [ -z "$file" ] || { [ -e "deploy/monitoring/policies/$file.json" ] && wanted "$file"; }; then continue; fi
    echo "gone   alert $file"
    gcloud monitoring policies delete "$policy" --project "$PROJECT_ID" --quiet || return 1
  done <<<"$1"
}
