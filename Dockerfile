# The first stage builds the bundle. The image keeps only what runs: one Node, the bundle, the migrations, the contract.
# The bases are arguments: cloudbuild.yaml pins them by digest, and a fork may choose others. Both must have the same
# Debian. Node 26 needs libatomic, which distroless/cc does not have.

ARG BUILD_BASE=node:24-trixie-slim
ARG RUN_BASE=gcr.io/distroless/cc-debian13:nonroot

FROM ${BUILD_BASE} AS build
WORKDIR /service
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# source maps are removed: nothing reads them at run time
RUN node build.ts && rm dist/*.map

FROM ${RUN_BASE}
# the binary that compiled dist/service.cache: another one would reject it
COPY --from=build /usr/local/bin/node /usr/local/bin/node
WORKDIR /service
COPY --from=build /service/migrations ./migrations
COPY --from=build /service/openapi ./openapi
COPY --from=build /service/dist ./dist
USER 65532:65532
# node itself and not npm, so that SIGTERM reaches the process. The same as `npm start`: see docs/decisions/015
CMD ["node", "--min-semi-space-size=16", "--max-semi-space-size=16", "dist/main.js"]

# last, because they differ in each build; an empty variable is unset
ARG VERSION=
ARG COMMIT=
ARG SOURCE=
ENV NODE_ENV=production VERSION=$VERSION COMMIT=$COMMIT
LABEL org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$COMMIT \
      org.opencontainers.image.source=$SOURCE
