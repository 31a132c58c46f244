// Shows the contract with Scalar, whose script comes after this one.

const { nonce } = document.currentScript
const { createElement } = Document.prototype
// Scalar gives the nonce of the page only to one of its styles. The policy would refuse the others
document.createElement = (name, options) => {
  const element = createElement.call(document, name, options)
  if (element.localName === 'style') element.nonce = nonce
  return element
}

addEventListener('DOMContentLoaded', () => {
  const { token } = document.body.dataset
  const reference = globalThis.Scalar.createApiReference('#reference', configuration())
  if (token) offer(token, () => reference.updateConfiguration(configuration(token)))
  mendDialog()
  new MutationObserver(mendDialog).observe(document.body, { childList: true, subtree: true })
})

/** Mends what Scalar's dialog, which sends a request, tells a screen reader and the keyboard. */
function mendDialog() {
  for (const body of document.querySelectorAll('.cm-content:not([aria-label])')) body.ariaLabel = 'Body'
  for (const help of document.querySelectorAll('button[role="none"]')) help.removeAttribute('role')
  for (const field of document.querySelectorAll('[role="combobox"]:not([aria-expanded])'))
    field.ariaExpanded = 'false'
  for (const scroller of document.querySelectorAll('.cm-scroller[tabindex="-1"]')) scroller.tabIndex = 0
  for (const button of document.querySelectorAll('button[aria-controls]'))
    if (!document.getElementById(button.getAttribute('aria-controls')))
      button.removeAttribute('aria-controls')
}

/**
 * What is false, empty or disabled here keeps Scalar from calling its makers: their proxy, fonts, telemetry, AI agent and
 * client.
 *
 * @param token what requests carry from the start
 */
function configuration(token) {
  return {
    url: 'openapi.json',
    proxyUrl: '',
    withDefaultFonts: false,
    telemetry: false,
    agent: { disabled: true },
    mcp: { disabled: true },
    hideClientButton: true,
    showDeveloperTools: 'never',
    persistAuth: false,
    documentDownloadType: 'json',
    servers: [{ url: location.origin }], // the policy allows no other
    modelsSectionLabel: 'Schemas',
    defaultHttpClient: { targetKey: 'shell', clientKey: 'curl' },
    authentication: {
      preferredSecurityScheme: 'bearer',
      ...(token && { securitySchemes: { bearer: { token } } }),
    },
  }
}

/** Offers the token of development: after one click, the requests of the page carry it. */
function offer(token, authorise) {
  const caller = document.querySelector('#caller')
  const button = caller.querySelector('button')
  const { sub } = JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')))
  button.textContent = `Authorise as ${sub}`
  button.addEventListener('click', () => {
    authorise()
    caller.querySelector('output').textContent = 'Authorised.'
  })
  caller.hidden = false
  document.documentElement.style.setProperty('--scalar-custom-header-height', `${caller.offsetHeight}px`)
}
