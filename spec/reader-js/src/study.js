/** One study, from the bytes of its record to values with a meaning. */
import { equalBytes } from "./bytes.js";
import { decodeCanonical, toPlain } from "./canonical.js";
import { contentDigest, leafOf } from "./checksums.js";
import { readColumns } from "./columns.js";
import { fail } from "./errors.js";
import { nameExtensions } from "./extensions.js";
import { readPixels } from "./pixels.js";
import { checkSource } from "./provenance.js";
import { readRecordHeader } from "./record.js";
import { cellsOfViews, checkEdges, checkLabels, checkPatches, checkReportGraph, checkViews, locatePatches } from "./rules.js";
import { readStreams } from "./streams.js";
import { readStrings } from "./strings.js";
import { decodeUtf8 } from "./utf8.js";
import { CONCEPT_LABELS, RELATIONS, REPORT_SECTIONS, VIEW_POSITIONS } from "./vocabulary.js";
import { attentionOf, readWords } from "./words.js";

function assemble(header, parts, g, strings, source, report, place, where) {
  const { counts } = header;
  return {
    id: strings.id,
    digest: header.contentDigest,
    views: cellsOfViews(g).map((cells, v) => ({
      rows: g.view_rows[v],
      cols: g.view_cols[v],
      height: g.view_height[v],
      width: g.view_width[v],
      patchHeight: g.view_patch_height[v],
      patchWidth: g.view_patch_width[v],
      scoreStep: g.view_score_step[v],
      position: VIEW_POSITIONS[g.view_position[v]],
      attention: attentionOf(g.cell_score.subarray(...cells), g.view_score_step[v]),
    })),
    patches: {
      count: counts.n_patches,
      width: counts.embedding_dim,
      ...place,
      score: g.patch_score,
      embedding: parts.embedding,
    },
    edges: Array.from({ length: counts.n_edges }, (_, i) => [g.edge[2 * i], g.edge[2 * i + 1]]),
    concepts: strings.concepts.map((text, i) => ({
      text,
      label: CONCEPT_LABELS[g.concept_label[i]],
      start: g.concept_start[i],
      end: g.concept_end[i],
      section: REPORT_SECTIONS[g.concept_section[i]],
      vector: counts.n_concept_vectors > 0 ? g.concept_vector[i] : null,
    })),
    mentions: Array.from({ length: counts.n_mentions }, (_, i) => ({
      concept: g.mention_concept[i],
      label: CONCEPT_LABELS[g.mention_label[i]],
      section: REPORT_SECTIONS[g.mention_section[i]],
      start: g.mention_start[i],
      end: g.mention_end[i],
    })),
    conceptVectors: { count: counts.n_concept_vectors, width: counts.concept_dim, values: parts.vectors },
    triples: Array.from(g.triple_head, (head, i) => [head, RELATIONS[g.triple_relation[i]], g.triple_tail[i]]),
    fusion: counts.n_fusion === 1 ? [g.fusion_patch[0], g.fusion_concept[0]] : null,
    labels: strings.names.map((name, i) => [name, g.label_value[i]]),
    provenance: { method: toPlain(header.method.map), source: toPlain(source) },
    provenanceNodes: { method: header.method.map, source },
    report,
    pixels: parts.pixels === null ? null : readPixels(parts.pixels, counts.n_patches, `${where} pixels`),
    wordAttention: parts.words === null ? null : readWords(parts.words, counts.n_cells, `${where} word attention`),
    extensions: nameExtensions(parts.extensions),
    decodedBytes: header.decodedBytes,
    streamCount: header.streams.length,
  };
}

/** Read a record in the order of [R12]: header, streams, digest (and the root of a single study), meaning. */
export async function readStudy(record, row, archive, where) {
  const header = readRecordHeader(record, row, archive, where);
  const parts = readStreams(record, header, where);
  if (!equalBytes(await contentDigest(header, parts), header.contentDigest)) {
    fail("E_DIGEST", where, "the content digest does not match");
  }
  if (!equalBytes(await leafOf(record), row.leaf)) fail("E_DIGEST", where, "the leaf does not match the record");
  if (archive.count === 1) await archive.verifyRoot();
  const { counts } = header;
  const g = readColumns(parts.graph, counts);
  checkViews(g, counts, where);
  const place = locatePatches(g, counts, where);
  checkPatches(g, counts, place, where);
  checkEdges(g, counts, place, where);
  checkReportGraph(g, counts, where);
  const strings = readStrings(g, counts, where);
  const source = decodeCanonical(strings.source, `${where} source map`);
  checkSource(source, counts.n_views, `${where} source map`);
  const report = parts.report && (decodeUtf8(parts.report) ?? fail("E_TEXT", where, "the report is not valid UTF-8"));
  checkLabels(g, where);
  return assemble(header, parts, g, strings, source, report, place, where);
}
