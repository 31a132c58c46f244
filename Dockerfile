# Builds the bundle with all its tools, then keeps only what runs: one Node, the bundle, the migrations, the contract.

FROM node:24-bookworm-slim AS build
WORKDIR /service
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node build.ts

FROM gcr.io/distroless/cc-debian12:nonroot
# the very binary that compiled dist/service.cache: another one would reject it
COPY --from=build /usr/local/bin/node /usr/local/bin/node
WORKDIR /service
COPY --from=build /service/dist ./dist
COPY --from=build /service/migrations ./migrations
COPY --from=build /service/openapi ./openapi
ENV NODE_ENV=production
# node itself, not npm: SIGTERM must reach the process
CMD ["node", "dist/main.js"]
