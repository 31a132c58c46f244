# shellcheck shell=bash disable=SC2034,SC2154
# Reads and changes the service $name, which `environment` sets.

# A service's first revision: it has the traffic before any revision was tested, and responds with 503 to all
closed() { echo "$name-closed"; }

# service_exists: whether $name was ever deployed. Fails if Google does not say
service_exists() {
  local found
  found=$(gcloud run services list "${at[@]}" --filter="metadata.name=$name" --format='value(metadata.name)') ||
    fail "Google does not say whether there is a service $name"
  [ -n "$found" ]
}

# traffic: a line REVISION,PERCENT,TAG for each target of $name, as it was last set, even if it is not yet in effect
traffic() {
  local columns=spec.traffic.revisionName,spec.traffic.percent,spec.traffic.tag,status.latestReadyRevisionName
  gcloud run services describe "$name" "${at[@]}" --flatten='spec.traffic[]' --format="csv[no-heading]($columns)" |
    awk -F, -v OFS=, '{ print $1 ? $1 : $4, $2, $3 }'
}

# serving: the revisions of $name that have traffic, as --to-revisions takes them: a=90,b=10. Prints nothing, and no end of
# line, if nothing serves, or only the closed revision
serving() {
  traffic | awk -F, -v closed="$(closed)" '$1 && $1 != closed && $2 > 0 { printf "%s%s=%s", comma, $1, $2; comma = "," }'
}

# move FROM TO [TAG] [PASSED]: moves the traffic to TO if FROM has it. Both are as `serving` prints them; an empty one means
# the closed revision. If they are given, takes TAG away, and notes that the revisions PASSED. Status 3: something else
# serves, and nothing was changed.
# This is one compare-and-set: it sends the service back with the version that it has read, and Google refuses it if
# anything has changed since. No command of gcloud does that: `services replace` reads the version itself.
# https://cloud.google.com/run/docs/reference/rest/v1/namespaces.services/replaceService
move() {
  local from=$1 to=$2 tag=${3:-} passed=${4:-} targets now code='' file=$folder/service.json
  local url=${RUN_API:-https://$REGION-run.googleapis.com}/apis/serving.knative.dev/v1
  for _ in {1..10}; do
    gcloud run services describe "$name" "${at[@]}" --format=json >"$file" || return 1 # first, so that a change after it is noticed
    targets=$(traffic) && now=$(serving) || return 1
    if [ "$now" != "$from" ]; then
      [[ -n $code && $now = "$to" ]] || return 3 # an earlier try has arrived, but not its response
      return 0
    fi
    {
      tr , '\n' <<<"${to:-$(closed)=100}" | sed 's/\(.*\)=\(.*\)/{"revisionName": "\1", "percent": \2}/'
      awk -F, -v tag="$tag" '$3 && $3 != tag { printf "{\"revisionName\": \"%s\", \"tag\": \"%s\"}\n", $1, $3 }' <<<"$targets"
    } | paste -sd, - >"$file.traffic"
    rewrite "$file" "$passed" >"$file.new"
    code=$(curl --silent --show-error --max-time 60 --request PUT "$url/namespaces/$PROJECT_ID/services/$name" \
      --header @<(printf 'Authorization: Bearer %s' "$(gcloud auth print-access-token)") --header 'Content-Type: application/json' \
      --data-binary "@$file.new" --output "$file.said" --write-out '%{http_code}') || code=000
    case $code in
    200) return 0 ;;
    000 | 409 | 429 | 5??) sleep 1 ;; # somebody else was first, or Google did not say: read again
    *) cat "$file.said" >&2 && return 1 ;;
    esac
  done
  echo "Google did not take the traffic of $name in ten tries (HTTP status $code)" >&2
  return 1
}

# rewrite FILE PASSED: prints FILE (a service as gcloud prints it in JSON: keys in order, two spaces a level) with the
# traffic of FILE.traffic, and with the revisions PASSED, if any, at the start of its annotation `passed`, which keeps twenty
rewrite() {
  awk -v traffic="$(cat "$1.traffic")" -v passed="$2" '
    /^  "/ { section = $1 }
    noting {
      noting = 0
      known = /^      "passed": /
      if (known) { split($0, parts, "\""); many = split(parts[4], old, " ") }
      for (i = 1; i <= many && i < 20; i++) if (!index(" " passed " ", " " old[i] " ")) list = list " " old[i]
      sub(/ +$/, "", passed)
      print "      \"passed\": \"" passed list "\","
      if (known) next
    }
    section == "\"metadata\":" && /^    "annotations": \{/ && passed { noting = 1 }
    section == "\"spec\":" && /^    "traffic": \[/ { print "    \"traffic\": ["; print traffic; replaced = skips = 1; next }
    skips && /^    \]/ { skips = 0 }
    !skips
    END { exit !replaced }
  ' "$1"
}

# passed: prints a line for each revision of $name that passed its build
passed() {
  gcloud run services describe "$name" "${at[@]}" --format='value(metadata.annotations.passed)' | tr ' ' '\n'
}

# sweep: takes away the tags that cancelled builds have left. If Google does not say which builds still run, all tags stay:
# a tag costs nothing
sweep() {
  local going left
  left=$(traffic | awk -F, '$3 ~ /^b-/ { print $3 }')
  [ -n "$left" ] || return 0
  going=$(gcloud builds list --ongoing --project "$PROJECT_ID" --region "$LOCATION" --format='value(id)') || {
    echo "Tags of other builds stay, since Google does not say which builds go on (deploy/setup lets the build ask): $left"
    return 0
  }
  left=$(grep -vxF -f <(cut -c1-8 <<<"$going" | sed 's/^/b-/') <<<"$left" | paste -sd, - || true)
  [ -n "$left" ] || return 0
  echo "Left by builds that are over: $left"
  untag "$left"
}

# untag TAG,…: takes these tags of $name away
untag() {
  gcloud run services update-traffic "$name" "${at[@]}" --remove-tags "$1" --quiet
}

# overtaken NOW: ends the step of a build that came second to live
overtaken() {
  hint="if yours is the newer one, take it through staging again: $(again)"
  fail "Overtaken: $(grep . "$folder/before" || echo nothing) served when this build began, now it is ${1:-nothing}"
}

# not_overtaken: fails if another build went live after this one noted what serves
not_overtaken() {
  local now=''
  [ "$environment" = live ] || return 0
  if service_exists; then now=$(serving); fi
  [ "$now" = "$(cat "$folder/before")" ] || overtaken "$now"
}

# deploy_flags: sets the list `flags`: what a revision of $name is made of
deploy_flags() {
  # shellcheck disable=SC2054 # the commas are the probe's
  flags=(--image "$(cat "$state/image")" --revision-suffix "$(cat "$folder/suffix")" --tag "$(cat "$folder/tag")"
    --service-account "$name@$PROJECT_ID.iam.gserviceaccount.com" --no-invoker-iam-check
    --cpu "$CPU" --memory "$MEMORY" --concurrency "$CONCURRENCY" --timeout "$TIMEOUT" --cpu-boost
    --min "$MIN_INSTANCES" --max "$MAX_INSTANCES" --min-instances default --max-instances default
    --startup-probe httpGet.path=/ping,periodSeconds=1,timeoutSeconds=1,failureThreshold=60
    --env-vars-file "$folder/variables.yaml" --set-secrets "$(cat "$folder/secrets")" "$(cloud_sql)" --quiet)
}

# revisions: prints a line REVISION,READY,CREATED for each of $name's revisions but the closed one, the newest first. READY
# is True, False or Unknown
revisions() {
  gcloud run revisions list --service "$name" "${at[@]}" --sort-by=~metadata.creationTimestamp \
    --flatten='status.conditions[]' --filter='status.conditions.type=Ready' \
    --format='csv[no-heading](metadata.name,status.conditions.status,metadata.creationTimestamp.date(tz=UTC))' |
    grep -v "^$(closed)," || true
}

# tag_url TAG: prints the URL of $name under this tag
tag_url() {
  gcloud run services describe "$name" "${at[@]}" --flatten='status.traffic[]' \
    --format='csv[no-heading](status.traffic.tag,status.traffic.url)' | awk -F, -v tag="$1" '$1 == tag { print $2 }'
}

# service_url: prints the URL where callers reach $name
service_url() {
  local own
  own=$(variables "$environment" | sed -n 's/^SERVICE_URL=//p')
  if [ -n "$own" ]; then echo "$own"; else gcloud run services describe "$name" "${at[@]}" --format='value(status.url)'; fi
}

# wait_for_revision URL REVISION: waits until /version names REVISION three times in a row. Fails after a minute
wait_for_revision() {
  local said='' in_a_row=0 end=$((SECONDS + 60))
  for _ in {1..60}; do
    ((SECONDS < end)) || break
    said=$(curl --silent --show-error --max-time 10 "$1/version" 2>&1 || true)
    if [[ $said == *"\"revision\":\"$2\""* ]]; then in_a_row=$((in_a_row + 1)); else in_a_row=0; fi
    if [ $in_a_row = 3 ]; then
      echo "$1/version: $said"
      return
    fi
    sleep 1
  done
  echo "$1/version does not say that $2 serves, but: $said" >&2
  return 1
}
