# shellcheck shell=bash disable=SC2034,SC2154
# How deploy/setup reads, makes and grants.

project=(--project "$PROJECT_ID")
located=(--project "$PROJECT_ID" --location "$REGION")

export CLOUDSDK_CORE_DISABLE_PROMPTS=1
exec 3>&1
if [ -n "$dry_run" ]; then
  # Prints the command that it stands for
  gcloud() {
    local word line=gcloud
    for word; do
      [[ $word =~ ^[A-Za-z0-9_./:@=,+-]+$ ]] || word="'$word'"
      line+=" $word"
    done
    echo "$line" >&3
  }
else
  command -v gcloud >/dev/null || fail 'There is no gcloud here: https://cloud.google.com/sdk/docs/install'
fi

section() { printf '\n# %s\n' "$1"; }
there() { [ -n "$dry_run" ] || echo "there  $1"; }

# new WHAT NAME LIST: whether NAME is not in LIST, and so must be made. Prints which
new() {
  if grep -qxF -- "$2" <<<"$3"; then
    there "$1"
    return 1
  fi
  [ -n "$dry_run" ] || echo "make   $1"
}

# retry COMMAND…: runs it again for half a minute, because what was just made is not known everywhere at once. Shows what
# gcloud printed only if it fails in the end. COMMAND may run twice: Google may have done it without a response. So use
# `make` for a command that makes something
retry() {
  local pause
  for pause in 1 2 4 8 16 0; do
    if "$@" 2>"$state/said"; then return; fi
    grep -qiE 'billing|auth login' "$state/said" && break
    sleep $pause
  done
  cat "$state/said" >&2
  return 1
}

# make COMMAND…: the same. If a later try says that it exists already, an earlier try has made it
make() {
  made=true
  retry made_or_there "$@"
}
made_or_there() {
  "$@" 2>"$state/refused" || grep -qiE 'ALREADY_EXISTS|already exists|already own' "$state/refused" ||
    { cat "$state/refused" >&2 && return 1; }
}

# account NAME WHAT
account() {
  if new "account $1" "$1@$PROJECT_ID.iam.gserviceaccount.com" "$accounts"; then
    make gcloud iam service-accounts create "$1" "${project[@]}" --display-name "$2" --format none
  fi
}

# grant ROLE ACCOUNT COMMAND…: to grant what is granted already changes nothing
grant() {
  local role=$1 account=$2
  shift 2
  retry gcloud "$@" --member "serviceAccount:$account" --role "roles/$role" --format none --quiet
}

# Most grants are known everywhere after two minutes: https://cloud.google.com/iam/docs/access-change-propagation
wait_for_grants() {
  [[ -n $made && -z $dry_run ]] || return 0
  section 'Two minutes, until all of Google knows of the grants'
  sleep 120
}
made=''

# stored SECRET: whether it has a version that can be read. Fails if Google does not say: a secret that was taken for an
# empty one would get another value, and the user of a database another password
stored() {
  local versions
  grep -qxF -- "$1" <<<"$secrets" || return
  versions=$(retry gcloud secrets versions list "$1" "${project[@]}" --filter='state=ENABLED' --format='value(name)') ||
    fail "Google does not say whether $1 has a value"
  [ -n "$versions" ]
}

# secret NAME VALUE: stores VALUE, unless there is one already. It is never an argument of a process
secret() {
  if stored "$1"; then
    there "secret $1"
    return
  fi
  [ -n "$2" ] || fail "Nothing to put into $1"
  if ! grep -qxF -- "$1" <<<"$secrets"; then
    [ -n "$dry_run" ] || echo "make   secret $1"
    make gcloud secrets create "$1" "${project[@]}" --replication-policy automatic --format none
    secrets+=$'\n'$1
  fi
  retry secret_version "$1" "$2"
}
# a version that was stored without a response of Google is not stored again
secret_version() {
  gcloud secrets versions add "$1" "${project[@]}" --data-file=- --format none < <(printf %s "$2") || stored "$1"
}

# random FORMAT BYTES: hex, or base64
random() {
  if [ "$1" = hex ]; then od -An -v -tx1 -N"$2" /dev/urandom; else head -c "$2" /dev/urandom | base64; fi | tr -d ' \n'
}
