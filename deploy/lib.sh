# shellcheck shell=bash
# What the scripts of this folder share. In Cloud Build cloudbuild.yaml gives them their variables; on your machine
# they take its defaults, and the project from PROJECT_ID or gcloud.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# What to do next, should the script fail: set it as you go.
hint=
advise() {
  [ -z "$hint" ] || printf '\nWhat to do next: %s\n' "$hint" >&2
}
trap '[ $? = 0 ] || advise' EXIT

# fail WHAT
fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

# default_of NAME: what cloudbuild.yaml substitutes for it
default_of() {
  sed -n "s/^  $1: *\([^ #]*\).*/\1/p" cloudbuild.yaml | tr -d \'\"
}

for variable in SERVICE REGION REPOSITORY CLOUD_SQL CPU MEMORY CONCURRENCY MIN_INSTANCES MAX_INSTANCES TIMEOUT \
  TASK_CONCURRENCY TASK_RATE UNTIL IMAGE ALLOW_BREAKING; do
  [ -n "${!variable+set}" ] || printf -v $variable %s "$(default_of _$variable)"
done
: "${NODE_IMAGE:=$(default_of _NODE)}" "${POSTGRES_IMAGE:=$(default_of _POSTGRES)}" "${OASDIFF_IMAGE:=$(default_of _OASDIFF)}"
: "${COMMIT_SHA:=}" "${REPO_FULL_NAME:=}" "${BUILD_ID:=by-hand}"
: "${PROJECT_ID:=$(gcloud config get-value project 2>/dev/null || true)}"
[ -n "$PROJECT_ID" ] || fail "No project: gcloud config set project PROJECT, or PROJECT_ID=PROJECT $0"
# runway-staging and a tag of ten characters stay below the 46 of a tagged URL, accounts below their 30
[[ $SERVICE =~ ^[a-z][a-z0-9-]{0,12}[a-z0-9]$ ]] ||
  fail "_SERVICE is '$SERVICE': a name of 2 to 14 small letters, digits and dashes is needed (cloudbuild.yaml)"

# What steps hand on to later ones
state=.build
mkdir -p $state

# The project, and where in it: for most commands
at=(--project "$PROJECT_ID" --region "$REGION")

# stage NAME: the script's stage of the build (check, image, staging, live). Ends it, content, where the build is not
# to come so far, or takes an image that has its check behind it
stage() {
  local stages=' check image staging live '
  [[ $stages == *" $UNTIL "* ]] || fail "_UNTIL is '$UNTIL': it is one of$stages"
  if [[ ${stages#*" $UNTIL"} == *" $1 "* ]]; then
    echo "Left out: this build ends with $UNTIL (_UNTIL)"
    exit 0
  fi
  if [[ -n $IMAGE && $1 =~ check|image ]]; then
    echo "Left out: the image is given (_IMAGE)"
    exit 0
  fi
}

# environment NAME: staging or live; sets $name, the service's, and $folder, for what steps hand on
environment() {
  [[ ${1:-} =~ ^(staging|live)$ ]] || fail "Which environment: $0 staging, or $0 live?"
  environment=$1 name=$SERVICE-$1 folder=$state/$1
  mkdir -p "$folder"
}

# variables ENVIRONMENT: its NAME=value lines, checked; or those of `try`, which may be none
variables() {
  local file=deploy/environments/$1.env bad
  bad=$(grep -nvE '^[A-Z][A-Z0-9_]*=|^ *(#|$)' "$file" || true)
  [ -z "$bad" ] || fail "$file has lines that are not NAME=value: $bad"
  bad=$(sed -n 's/^\([A-Z][A-Z0-9_]*\)=.*/\1/p' "$file" | sort | uniq -d | paste -sd' ' -)
  [ -z "$bad" ] || fail "$file says more than once: $bad"
  grep -E '^[A-Z]' "$file" || [ "$1" = try ]
}

# cloud_sql: the flag that connects a service or a job to the database
cloud_sql() {
  if [ "$CLOUD_SQL" = none ]; then
    echo --clear-cloudsql-instances
  else
    echo "--set-cloudsql-instances=${CLOUD_SQL:-$PROJECT_ID:$REGION:$SERVICE}"
  fi
}

# service_exists: whether $name was ever deployed. Not to know fails: a service that were taken for new would have its
# next revision serve before its tests
service_exists() {
  local found
  found=$(gcloud run services list "${at[@]}" --filter="metadata.name=$name" --format='value(metadata.name)') ||
    fail "Google does not say whether there is a service $name"
  [ -n "$found" ]
}

# traffic: a line REVISION,PERCENT,TAG,URL for each of $name's targets
traffic() {
  gcloud run services describe "$name" "${at[@]}" --flatten='status.traffic[]' \
    --format='csv[no-heading](status.traffic.revisionName,status.traffic.percent,status.traffic.tag,status.traffic.url)'
}

# serving: the revisions of $name that have traffic, as --to-revisions takes them: a=90,b=10. Nothing, not even the end
# of a line, if its first one did not start
serving() {
  traffic | awk -F, '$1 && $2 > 0 { printf "%s%s=%s", comma, $1, $2; comma = "," }'
}

# not_overtaken OWN: fails if another build went live since this one noted what serves. OWN is what this build may have
# serving by now, where nothing did: REVISION=100, or nothing
not_overtaken() {
  local before now=''
  [ "$environment" = live ] || return 0
  before=$(cat "$folder/before")
  if [ -n "$before" ] || service_exists; then now=$(serving); fi
  [[ $now = "$before" || -z $before && $now = "$1" ]] && return
  hint="if yours is the newer one, take it through staging again: $(again)"
  fail "Overtaken: ${before:-nothing} served when this build began, now it is $now"
}

# again: the command that takes this build's image through staging and live once more
again() {
  echo "deploy/submit ${COMMIT_SHA:-HEAD} --project $PROJECT_ID --substitutions=_IMAGE=$(cat $state/image)"
}

# revisions: a line REVISION,READY,CREATED for each of $name's, the newest first; READY is True, False or Unknown
revisions() {
  gcloud run revisions list --service "$name" "${at[@]}" --sort-by=~metadata.creationTimestamp \
    --flatten='status.conditions[]' --filter='status.conditions.type=Ready' \
    --format='csv[no-heading](metadata.name,status.conditions.status,metadata.creationTimestamp.date(tz=UTC))'
}

# service_url: where callers reach $name
service_url() {
  local own
  own=$(variables "$environment" | sed -n 's/^SERVICE_URL=//p')
  if [ -n "$own" ]; then echo "$own"; else gcloud run services describe "$name" "${at[@]}" --format='value(status.url)'; fi
}

# answers URL REVISION: waits, a minute at most, until /version says, three times in a row, that REVISION answers
answers() {
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
  echo "$1/version does not say that $2 answers, but: $said" >&2
  return 1
}
