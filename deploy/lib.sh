# shellcheck shell=bash disable=SC2034
# What the scripts of this folder share. In Cloud Build, cloudbuild.yaml gives them their variables. On your machine they
# take its defaults, and each takes --project PROJECT and --help. Without the first, the project is PROJECT_ID, or gcloud's
# own. The second prints the comment at the top of the script.
set -euo pipefail
script=$(cd "$(dirname "$0")" && pwd)/${0##*/}
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# print_help: the comment at the top of the script
print_help() { sed -n '2,${/^#/!q;s/^# \{0,1\}//;p;}' "$script"; }

# refuse WHAT: for wrong arguments. Prints the help, and ends with status 2
refuse() {
  printf '%s\n\n' "$1" >&2
  print_help >&2
  trap - EXIT
  exit 2
}

# What to do next if the script fails. Set it before each part of a script.
hint=
advise() {
  [ -z "$hint" ] || printf '\nWhat to do next: %s\n' "$hint" >&2
}
trap '[ $? = 0 ] || advise' EXIT

# fail WHAT: ends with status 1
fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

# default_of NAME: what cloudbuild.yaml substitutes for it
default_of() {
  sed -n "s/^  $1: *\([^ #]*\).*/\1/p" cloudbuild.yaml | tr -d \'\"
}

for variable in SERVICE REGION REPOSITORY CLOUD_SQL CPU MEMORY CONCURRENCY MIN_INSTANCES MAX_INSTANCES TIMEOUT \
  TASK_CONCURRENCY TASK_RATE ALERT_EMAIL UNTIL IMAGE ALLOW_BREAKING; do
  [ -n "${!variable+set}" ] || printf -v $variable %s "$(default_of _$variable)"
done
: "${NODE_IMAGE:=$(default_of _NODE)}" "${POSTGRES_IMAGE:=$(default_of _POSTGRES)}" "${OASDIFF_IMAGE:=$(default_of _OASDIFF)}"
: "${BUILD_BASE:=$(default_of _BUILD_BASE)}" "${RUN_BASE:=$(default_of _RUN_BASE)}"
: "${COMMIT_SHA:=}" "${REPO_FULL_NAME:=}" "${BUILD_ID:=by-hand}" "${LOCATION:=global}"

# A sourced file may change its script's arguments: this takes --project and its value out of them
arguments=()
while (($#)); do
  case $1 in
  --help | -h) print_help && exit ;;
  --project=*) PROJECT_ID=${1#*=} ;;
  --project) PROJECT_ID=${2:-} && shift $(($# > 1)) ;;
  *) arguments+=("$1") ;;
  esac
  shift
done
set -- ${arguments[@]+"${arguments[@]}"}
: "${PROJECT_ID:=$(gcloud config get-value project 2>/dev/null || true)}"
[ -n "$PROJECT_ID" ] || refuse "No project: $0 --project PROJECT, or once for all: gcloud config set project PROJECT"
# so SERVICE-staging with a tag of ten characters fits into the 46 of a tagged URL, and accounts into their 30
[[ $SERVICE =~ ^[a-z][a-z0-9-]{0,12}[a-z0-9]$ ]] ||
  fail "_SERVICE is '$SERVICE': a name of 2 to 14 small letters, digits and dashes is needed (cloudbuild.yaml)"

[[ -z $ALERT_EMAIL || $ALERT_EMAIL =~ ^[^@[:space:],=]+@[^@[:space:],=]+$ ]] ||
  fail "_ALERT_EMAIL is '$ALERT_EMAIL': one e-mail address is needed (cloudbuild.yaml)"

# Files that steps hand on to later steps
state=.build
mkdir -p $state

# The project, and where in it: for most commands
at=(--project "$PROJECT_ID" --region "$REGION")

# stage NAME: the script's stage of the build (check, image, staging, live). Ends the script with status 0 if the build
# ends at an earlier stage, or if this stage was done when the given image was built
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

# environment NAME: staging or live. Sets $environment, the service's $name, and the $folder for files of this environment
environment() {
  [[ ${1:-} =~ ^(staging|live)$ ]] || refuse "Which environment: $0 staging, or $0 live?"
  environment=$1 name=$SERVICE-$1 folder=$state/$1
  mkdir -p "$folder"
}

# variables ENVIRONMENT: prints its NAME=value lines, after a check. Those of `try` may be none
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

# again: prints the command that takes this build's image through staging and live once more
again() {
  echo "deploy/submit ${COMMIT_SHA:-HEAD} --project $PROJECT_ID --substitutions=_IMAGE=$(cat $state/image)"
}
