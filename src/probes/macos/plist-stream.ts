/** Ends each document. The NUL between two of them comes with the next one, half a second late. */
const documentEnd = '</plist>'
/** A document of a Mac with 32 cores has about 50 kB; what goes on longer is none. */
const longestDocument = 4 * 1024 * 1024

/** Cuts the output of `powermetrics -f plist` into its documents, however the pipe has cut it. */
export class PlistStream {
  #text = ''
  #searched = 0

  /** Takes what came, and gives the documents that are complete. */
  push(chunk: string): readonly string[] {
    const documents: string[] = []
    this.#text += chunk
    for (;;) {
      // The end may itself be cut in two.
      const end = this.#text.indexOf(documentEnd, Math.max(0, this.#searched - documentEnd.length))
      if (end < 0) break
      const next = end + documentEnd.length
      documents.push(this.#text.slice(0, next).replaceAll('\0', ''))
      this.#text = this.#text.slice(next)
      this.#searched = 0
    }
    this.#searched = this.#text.length
    if (this.#text.length > longestDocument) {
      this.#text = ''
      this.#searched = 0
    }
    return documents
  }
}
