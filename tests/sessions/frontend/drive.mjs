// Drives the datalab-ui front end in Chromium as an astronomer would, and writes down every call that it makes.
//
// node drive.mjs URL FOLDER, with HOLOTYPE_UI_USER and HOLOTYPE_UI_PASSWORD; HOLOTYPE_UI_SKIP is a pattern of steps to leave out. FOLDER gets screenshots, downloads and calls.json.
// It needs playwright-core beside it or in NODE_PATH, and a Chromium, /usr/bin/chromium unless CHROMIUM says otherwise.

import { createRequire } from 'node:module'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const require = createRequire(process.env.PLAYWRIGHT_FROM || import.meta.url)
const { chromium } = require('playwright-core')

const [url, folder] = process.argv.slice(2)
const user = process.env.HOLOTYPE_UI_USER
const password = process.env.HOLOTYPE_UI_PASSWORD
const ours = new URL(url).origin
const leftOut = process.env.HOLOTYPE_UI_SKIP ? new RegExp(process.env.HOLOTYPE_UI_SKIP) : null
const PATIENCE = Number(process.env.HOLOTYPE_UI_PATIENCE || 120_000)

mkdirSync(folder, { recursive: true })
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  // Inside a container, Chromium's own sandbox cannot be made.
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--force-color-profile=srgb'],
})
const context = await browser.newContext({ viewport: { width: 1700, height: 1500 }, acceptDownloads: true })
const page = await context.newPage()
page.setDefaultTimeout(PATIENCE)

// Every call to the server is written down; what the page asks of anybody else is not answered, and noted.
const calls = []
const strangers = new Set()
const problems = []
let waited = Promise.resolve()
await context.route('**/*', (route) => {
  const asked = route.request().url()
  if (asked.startsWith(ours) || asked.startsWith('blob:') || asked.startsWith('data:')) return route.continue()
  strangers.add(new URL(asked).origin)
  return route.abort()
})
page.on('pageerror', (error) => problems.push(`the page failed: ${error.message}`))
page.on('requestfinished', (request) => {
  if (!request.url().startsWith(ours)) return
  const path = request.url().slice(ours.length)
  if (/^\/(js|css|fonts|img|config)\/|^\/$|^\/(projects|datasessions)|\.(js|png)$/.test(path)) return
  const call = { method: request.method(), path, body: null, status: 0, answer: null }
  calls.push(call)
  waited = waited.then(async () => {
    const response = await request.response()
    call.status = response.status()
    call.length = (await response.allHeaders())['content-length'] ?? null
    call.body = request.postData() ? JSON.parse(request.postData()) : null
    const text = await response.text().catch(() => '')
    call.answer = /json/.test(response.headers()['content-type'] ?? '') ? JSON.parse(text || 'null') : `${text.length} bytes`
    if (call.status >= 400) problems.push(`${call.method} ${path}: ${call.status} ${text.slice(0, 300)}`)
  }).catch((error) => problems.push(`${call.method} ${path}: ${error.message}`))
})

let number = 0
const picture = (name) =>
  page.screenshot({ path: join(folder, `${String(++number).padStart(2, '0')}-${name.replaceAll(/\W+/g, '-')}.png`) })

/** Does one thing that the test is about; its screenshot is kept, also when it fails. */
async function step(name, action) {
  if (leftOut?.test(name)) return console.log(`-     ${name} is left out`)
  const began = Date.now()
  try {
    const told = await action()
    await picture(name)
    console.log(`ok    ${name}${told ? `: ${told}` : ''} (${Date.now() - began} ms)`)
  } catch (error) {
    await picture(`failed ${name}`)
    console.log(`FAIL  ${name}: ${String(error.message).split('\n')[0]}`)
    problems.push(`${name}: ${error.message}`)
    // What is open now must not be in the way of what comes next.
    if (page.url().includes('datasessions')) await page.goto(new URL('datasessions', url).href).catch(() => {})
  }
}

function expect(truth, problem) {
  if (!truth) throw new Error(problem)
}

const button = (name) => page.getByRole('button', { name, exact: true })

/** Drags the middle of one element onto that of another, as a hand does. */
async function drag(from, to) {
  await from.scrollIntoViewIfNeeded()
  const [start, end] = [await from.boundingBox(), await to.boundingBox()]
  expect(start && end, 'nothing to drag, or nowhere to drag it to')
  const middle = (box) => [box.x + box.width / 2, box.y + box.height / 2]
  await page.mouse.move(...middle(start))
  await page.mouse.down()
  await page.mouse.move(middle(start)[0] + 8, middle(start)[1] + 8, { steps: 4 })
  await page.mouse.move(...middle(end), { steps: 12 })
  await page.waitForTimeout(150)
  await page.mouse.up()
  await page.waitForTimeout(150)
}

/** Opens the wizard and goes to the page of an operation's inputs. */
async function configure(name) {
  await button('Select Operation').click()
  await page.locator('.wizard-operations').filter({ hasText: new RegExp(`^${name}$`) }).click()
  await button('select').click()
  await page.getByText(new RegExp(`Configure ${name} Operation`)).waitFor()
}

const offered = (basename) => page.locator('.list-image').filter({ has: page.locator(`img[alt="${basename}"]`) }).first()
const dropped = (index) => page.locator('.drop-section').nth(index)

/** Starts the operation that is configured, and waits until the page has learned how it ended. */
async function run(start = button('Start Operation')) {
  const isStart = (response) => response.request().method() === 'POST' && /\/operations\/$/.test(response.url())
  const posted = awaited(page.waitForResponse(isStart))
  await start.click()
  const begun = await posted
  expect(begun.status() === 201, `the operation was refused: ${begun.status()} ${await begun.text()}`)
  const { id } = await begun.json()
  const ends = async (response) => {
    if (response.request().method() !== 'GET' || !/\/operations\/(\d+\/)?$/.test(response.url()) || !response.ok()) return false
    const told = await response.json()
    const operation = told.results ? told.results.find((one) => one.id === id) : told.id === id ? told : null
    return operation && ['COMPLETED', 'FAILED'].includes(operation.status)
  }
  const told = await (await page.waitForResponse(ends, { timeout: PATIENCE })).json()
  const operation = told.results ? told.results.find((one) => one.id === id) : told
  expect(operation.status === 'COMPLETED', `it failed: ${operation.message}`)
  return operation
}

/** That the pictures of an operation's outputs are shown; their names. */
async function shown(operation) {
  const names = operation.output.output_files.map((file) => file.basename)
  for (const name of names) {
    const image = page.locator(`.image-grid-col img[alt="${name}"]`).first()
    await image.waitFor()
    expect(await image.evaluate((element) => element.naturalWidth > 0), `the picture of ${name} is not shown`)
  }
  return names
}

const tile = (basename) =>
  page.locator('.image-grid-col').filter({ has: page.locator(`img[alt="${basename}"]`) }).first()

/** What a download button of an output gives. */
async function download(within, label) {
  await within.locator('.mdi-download').first().click()
  const arrived = awaited(page.waitForEvent('download'))
  await page.locator('.file-download').filter({ hasText: label }).last().click()
  const file = await arrived
  const path = join(folder, `download${label.replaceAll(' ', '')}`)
  await file.saveAs(path)
  await page.keyboard.press('Escape')
  return readFileSync(path)
}

/** An answer that is to come. Whoever asked may give up before, which is told by what else fails. */
function awaited(promise) {
  promise.catch(() => {})
  return promise
}
const answered = (pattern) => awaited(page.waitForResponse((response) => pattern.test(response.url())))
let frames = []
let red = []
const basename = (frame) => frame.basename
let median = null

await step('log in', async () => {
  await page.goto(url)
  await page.getByLabel('Username').fill(user)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await button('Login').click()
  await page.waitForURL(/projects/)
})

await step('the page is isolated', async () => {
  expect(await page.evaluate(() => crossOriginIsolated), 'threads cannot share memory: the isolating headers are missing')
})

await step('find frames', async () => {
  const listed = answered(/\/frames\/\?.*proposal_id=DEMO-001/)
  await page.locator('.v-expansion-panel-title').filter({ hasText: 'DEMO-001' }).click()
  frames = (await (await listed).json()).results
  red = frames.filter((frame) => frame.primary_optical_element === 'rp')
  expect(red.length >= 8, `${red.length} frames in red light`)
  for (const frame of frames) {
    const image = page.locator(`img[alt="${frame.basename}"]`).first()
    await image.waitFor()
    expect(await image.evaluate((element) => element.naturalWidth > 0), `the thumbnail of ${frame.basename} is not shown`)
  }
  return `${frames.length} with thumbnails`
})

await step('narrow by target', async () => {
  const listed = answered(/\/frames\/\?.*target_name=nothing/)
  await page.getByLabel('Target Name').fill('nothing')
  expect((await (await listed).json()).count === 0, 'a target that is none has frames')
  await page.getByText('No Images Found').waitFor()
  const again = answered(/\/frames\/\?.*target_name=Demo/)
  await page.getByLabel('Target Name').fill('Demo')
  expect((await (await again).json()).count === frames.length, 'not all frames of the target came back')
})

await step('make a session', async () => {
  for (const frame of frames) await tile(frame.basename).locator('.annotated-image').click({ position: { x: 80, y: 80 } })
  await button(`Add ${frames.length} images`).click()
  await page.getByLabel('Create New Session').fill('A night')
  await button('Create').click()
  await page.waitForURL(/datasessions/)
  await page.getByRole('tab', { name: 'A night' }).waitFor()
  for (const frame of frames) await page.locator(`.image-grid-col img[alt="${frame.basename}"]`).first().waitFor()
})

await step('Median', async () => {
  await configure('Median')
  for (const frame of red.slice(0, 4)) await drag(offered(frame.basename), dropped(0))
  median = await run()
  return (await shown(median)).join(' ')
})

await step('download the median', async () => {
  const [name] = median.output.output_files.map(basename)
  const fits = await download(tile(name), '.FITS')
  expect(fits.subarray(0, 9).toString() === 'SIMPLE  =', 'what came is no FITS file')
  const jpeg = await download(tile(name), '.JPG')
  expect(jpeg[0] === 0xff && jpeg[1] === 0xd8, 'what came is no JPEG')
  return `${fits.length} bytes FITS, ${jpeg.length} bytes JPEG`
})

for (const mode of ['simple', 'reproject']) {
  await step(`Stacking ${mode}`, async () => {
    await configure('Stacking')
    if (mode !== 'simple') {
      await page.locator('.v-select').filter({ hasText: 'simple' }).click()
      await page.getByRole('option', { name: mode }).click()
    }
    for (const frame of red.slice(0, 4)) await drag(offered(frame.basename), dropped(0))
    return (await shown(await run())).join(' ')
  })
}

await step('Subtraction of the median', async () => {
  await configure('Subtraction')
  await drag(offered(red[0].basename), dropped(0))
  await drag(offered(median.output.output_files[0].basename), dropped(1))
  return (await shown(await run())).join(' ')
})

await step('Normalization', async () => {
  await configure('Normalization')
  for (const frame of red.slice(0, 2)) await drag(offered(frame.basename), dropped(0))
  return (await shown(await run())).join(' ')
})

await step('Color Image', async () => {
  await configure('Color Image')
  await button('Set Image Scaling').click()
  await page.locator('.image-scaler').nth(2).waitFor()
  await page.waitForTimeout(2_000)
  await picture('scaling of the colours')
  return (await shown(await run())).join(' ')
})

/** The row of a target: looked up by its name, which the server knows from its frames. */
async function choose(name) {
  await page.getByRole('textbox', { name: 'Source name' }).fill(name)
  const found = answered(/\/names\//)
  await button('Source name appended action').click()
  const told = await (await found).json()
  expect(Math.abs(told.ra - 271.05) < 0.01, `${name} is at ${JSON.stringify(told)}`)
}

const outputs = (name) => page.locator('.image-grid-col').filter({ has: page.locator('.annotated-output').getByText(name, { exact: true }) })

async function curve(operation, rows) {
  const [data] = operation.output.output_data
  expect(data.light_curve.length >= rows, `${data.light_curve.length} rows of ${rows}`)
  await outputs(operation.name).locator('svg').first().waitFor()
  return `${data.light_curve.length} points${data.period ? `, a period of ${data.period.toFixed(4)} days` : ''}`
}

await step('Light Curve', async () => {
  await configure('Light Curve')
  await choose('Demo V1')
  return curve(await run(), 12)
})

await step('Variable Star', async () => {
  await configure('Variable Star')
  await choose('Demo V1')
  return curve(await run(), 12)
})

await step('Aperture Photometry', async () => {
  await configure('Aperture Photometry')
  await choose('Demo V1')
  return curve(await run(), 12)
})

await step('look at the photometry', async () => {
  await outputs('Aperture Photometry').getByTitle('View diagnostics').click()
  await page.waitForTimeout(1_000)
  await picture('diagnostics')
  await page.keyboard.press('Escape')
  await outputs('Aperture Photometry').locator('.mdi-eye').click()
  await page.locator('.analysis-page canvas').nth(2).waitFor()
  await page.waitForTimeout(1_000)
  await picture('light curve and periodogram')
  await page.locator('.analysis-toolbar .mdi-close').last().click()
})

await step('look at a frame', async () => {
  const asked = ['raw-data', 'source-catalog', 'wcs'].map((action) => answered(new RegExp(`/analysis/${action}/`)))
  await tile(red[0].basename).locator('.mdi-eye').click()
  const [raw, catalog, wcs] = await Promise.all(asked.map(async (one) => (await one).json()))
  expect(raw.histogram?.length > 10 && raw.zmax > raw.zmin, 'the histogram is empty')
  expect(catalog.length > 40, `${catalog.length} sources`)
  expect(wcs.crval?.length === 2, 'there is no solution for the sky')
  await page.waitForFunction(() => document.querySelectorAll('path.leaflet-interactive').length > 40)
  await page.waitForTimeout(1_500)
  return `${catalog.length} sources`
})

await step('line profile', async () => {
  const map = await page.locator('.leaflet-container').boundingBox()
  await page.locator('.leaflet-pm-icon-polyline').click()
  const profile = answered(/\/analysis\/line-profile\//)
  await page.mouse.click(map.x + map.width * 0.3, map.y + map.height * 0.4)
  await page.waitForTimeout(300)
  await page.mouse.click(map.x + map.width * 0.6, map.y + map.height * 0.5)
  const told = await (await profile).json()
  expect(told.line_profile.length > 20 && told.arcsec > 0, 'the profile is empty')
  return `${told.line_profile.length} samples over ${told.arcsec.toFixed(1)} arcsec`
})

await step('centroid', async () => {
  const map = await page.locator('.leaflet-container').boundingBox()
  await page.locator('.custom-centroid-tool-icon').click()
  const [x, y] = [map.x + map.width / 2, map.y + map.height / 2]
  await page.mouse.move(x, y)
  await page.mouse.down()
  await page.mouse.move(x + 14, y, { steps: 5 })
  await page.mouse.up()
  const centroid = answered(/\/analysis\/centroiding\//)
  await button('Get Centroid').click()
  const told = await (await centroid).json()
  expect('success' in told, 'no centroid was answered')
  return told.success ? `at ${told.ra.toFixed(5)} ${told.dec.toFixed(5)}` : told.message
})

await step('scaled pictures', async () => {
  const bar = page.locator('.analysis-toolbar').last()
  const tif = await download(bar, '.TIF')
  expect(['II*\0', 'MM\0*'].includes(tif.subarray(0, 4).toString('latin1')), 'what came is no TIFF')
  const jpeg = await download(bar, 'Scaled .JPG')
  expect(jpeg[0] === 0xff && jpeg[1] === 0xd8, 'what came is no JPEG')
})

await step('header of the frame', async () => {
  await page.locator('.analysis-toolbar .mdi-information').last().click()
  await page.getByText('DATE-OBS').first().waitFor()
  await page.keyboard.press('Escape')
  await page.locator('.analysis-toolbar .mdi-close').last().click()
})

await step('delete an operation', async () => {
  const gone = answered(/bulk_delete/)
  await page.locator('.loadBarButton').filter({ hasText: 'Normalization' }).click()
  await page.locator('.delete-operation-button').click()
  await page.locator('.delete-btn').click()
  const told = await (await gone).json()
  expect(told.deleted >= 1, JSON.stringify(told))
  return `${told.deleted} deleted`
})

await step('delete the session', async () => {
  await page.locator('.tab_button').first().click()
  const gone = awaited(page.waitForResponse((response) => response.request().method() === 'DELETE' && response.status() === 204))
  await page.locator('.delete-btn').click()
  await gone
  await page.getByText('No Data Sessions to Display').waitFor()
})

await waited
await browser.close()
const mute = calls.filter((call) => call.status === 200 && typeof call.answer === 'object' && !Number(call.length))
for (const call of mute) problems.push(`${call.method} ${call.path}: the answer does not say how long it is`)
writeFileSync(join(folder, 'calls.json'), JSON.stringify(calls, null, 1))
console.log(`${calls.length} calls; asked and not let through: ${[...strangers].join(' ') || 'nobody'}`)
for (const problem of problems) console.log(`problem: ${problem}`)
process.exit(problems.length ? 1 : 0)
