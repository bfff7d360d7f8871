// What the modules hand to each other, for the type checker; there is nothing here to run.

/** @typedef {Uint8Array | Uint16Array | Uint32Array | Int32Array | Float32Array} Values */
/** @typedef {{ values: Values, shape: number[] }} Packed an array of the recording; sides from the outermost */
/** @typedef {{ dtype: "uint8" | "uint16" | "uint32" | "int32" | "float32", shape: number[], offset: number }} Entry */

/**
 * Where the reader is: what dista/widgets/state.py lists. Numbers count from 0.
 * @typedef {object} State
 * @property {number} sample
 * @property {number} step
 * @property {number} block
 * @property {number} head
 * @property {number} row
 * @property {number} column
 * @property {string} layer a dotted name
 * @property {number} neuron its place in the whole layer
 * @property {string} range
 * @property {string} stage
 * @property {string} key "step.row.column" of the key that is compared; "" for the strongest
 */

/**
 * A block whose map was recorded.
 * @typedef {object} Block
 * @property {number} block
 * @property {number} heads
 * @property {boolean} cross whether its map reaches across steps
 * @property {boolean} raw whether there are counts of before the denoiser
 * @property {"table" | "array" | null} kept how those of after it travel
 * @property {number} lags
 * @property {string} note what the map is
 * @property {string} sums what its rows sum to
 * @property {Map<number, number>} pair where the maps of a query step and a key step are
 * @property {number} largest
 */

/**
 * A group of neurons.
 * @typedef {object} Layer
 * @property {string} name
 * @property {string} label
 * @property {string} title
 * @property {number} neurons
 * @property {number} [active] how many fired
 * @property {number[] | null} shape channels, rows, columns; null where none of its neurons travel
 * @property {string[]} parts
 * @property {number | null} [threshold]
 */

/**
 * The header of a recording, as dista/widgets/payload.py writes it.
 * @typedef {object} Header
 * @property {Record<string, Entry>} arrays
 * @property {Record<string, number | string>} fields parts of a state and their defaults
 * @property {Record<string, string>} ranges
 * @property {Record<string, string>} stages
 * @property {Record<string, string>} missing what stands in the place of something that was not recorded
 * @property {string} moment when the network was as it is shown: "after training"
 * @property {string} [name] what tells this probe from another one on the page: "left"
 * @property {number} sample
 * @property {number} steps
 * @property {[number, number] | null} grid rows and columns of patches
 * @property {Block[]} attention
 * @property {Layer[]} layers
 * @property {Record<string, [number, number]>} spikes steps and channels of layers known spike by spike
 * @property {{ kind: string, frames: number, largest: number } | null} input
 * @property {{ answer: number, first: number, settled: number, note: string, averaged: string } | null} decision
 * @property {number | null} label
 * @property {string[] | null} classes
 * @property {string[] | null} step_labels
 * @property {string[]} step_sentences
 * @property {number | null} scale
 * @property {Partial<State>} [state] where the page wants the reader to be
 * @property {number} [revision]
 * @property {string | null} [theme]
 * @property {string | null} [group]
 */

/** @typedef {[number, number, number]} Rgb */

/**
 * Colours of a canvas.
 * @typedef {object} Theme
 * @property {string} name
 * @property {string[]} amount from nothing to much
 * @property {string[]} removed
 * @property {Rgb} paper
 * @property {Rgb} ink
 * @property {Rgb} off
 * @property {Rgb} on
 * @property {string} ink_
 * @property {string} accent
 * @property {string} orange
 * @property {string} muted
 * @property {string} line
 * @property {string} panel
 * @property {string} cursor
 * @property {string} font
 */

/** @typedef {{ x: number, y: number, width: number, height: number }} Box */
/** @typedef {{ step: number, row: number, column: number }} Patch a patch of a step */
/** @typedef {Box & { step: number, map?: string, rows?: number, columns?: number }} Place a step, or a map of it, on a canvas */
/** @typedef {[number, Values]} StepMap a key step, and what a query attends to there, patch by patch */

/**
 * Everything about one query, as `question` in film.js finds it.
 * @typedef {object} Question
 * @property {Block} block
 * @property {number} token
 * @property {(Record<string, Values | null> | null)[]} columns a key step each; null out of reach
 * @property {string[]} rows
 */

/**
 * What panels draw.
 * @typedef {object} View
 * @property {State} state
 * @property {import("./recording.js").Recording} recording
 * @property {Theme} theme
 * @property {{ at(step: number): HTMLCanvasElement | null }} frames
 * @property {Patch | null} hover
 * @property {Patch | null} pinned
 * @property {number[]} asked
 * @property {any} question a Question, or null where no map was recorded
 */

/** @typedef {{ playing: boolean, play(): void, point(place: any): void, reveal(): void }} App */

export {};
