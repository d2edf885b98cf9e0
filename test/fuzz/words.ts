/** What the formats are made of, for mutations. */
export const NPY_WORDS = [
  ...["'descr'", "'fortran_order'", "'shape'", "'<f4'", "'<f8'", "'>f8'", "'|u1'", "'|i1'", "'<f2'", 'True', 'False'],
  ...[
    '(',
    ')',
    ',',
    '{',
    '}',
    ':',
    "'",
    '"',
    '\\',
    '[',
    ']',
    'None',
    '0',
    '1',
    '-1',
    '1e3',
    '0x10',
    '1_000',
    "('a','<f4')",
  ],
  ...['9007199254740993', '18446744073709551616', '\x93NUMPY\x01\0', '\x93NUMPY\x02\0', '\x93NUMPY\x03\0', '\xff'],
]

export const JSON_WORDS = [
  ...[
    '[',
    ']',
    '{',
    '}',
    ',',
    ':',
    '"',
    '\\',
    'null',
    'true',
    '0',
    '-0',
    '1',
    '-1',
    '1.5',
    '1e2',
    '1e400',
    '4294967296',
  ],
  ...['9007199254740992', '18446744073709551615', '1000000000', '"__proto__"', '"\\u005f_proto__"', '"constructor"'],
  ...['"toString"', '"\\ud800"', '\0', '\ufeff', '\u2028', '\r\n', '\n', '"format"', '"version"', '"dims"', '"rows"'],
]

export const INDEX_WORDS = [
  ...JSON_WORDS,
  ...[
    '"__metadata__"',
    '"dtype"',
    '"shape"',
    '"data_offsets"',
    '"F32"',
    '"U8"',
    '"I8"',
    '"F4"',
    '"BF16"',
    '"sha256":"',
  ],
]

export const BOOK_WORDS = [
  ...JSON_WORDS,
  ...[
    '"packvec-calibration"',
    '"packvec-levels"',
    '"min"',
    '"max"',
    '"thresholds"',
    '"values"',
    '"precision"',
    '"scope"',
  ],
  ...['"int4"', '"ternary"', '"quaternary"', '"global"', '"dimension"'],
]

export const CODES_WORDS = [
  ...JSON_WORDS,
  ...[
    '"type"',
    '"length"',
    '"precision"',
    '"rowBytes"',
    '"scales"',
    '"int8"',
    '"uint8"',
    '"binary"',
    '"ubinary"',
    '"int4"',
  ],
  ...['"ternary"', '"float32"', '"Int8Array"', '"Uint8Array"', '"Float32Array"', '"Array"', '"query"', '"topK"'],
]

export const MANIFEST_WORDS = [
  ...JSON_WORDS,
  ...['"byteLength"', '"pieceBytes"', '"version"', '"complete"', '"etag"', '"lastModified"', 'false', '1048576'],
]

export const FAISS_WORDS = ['IxFI', 'IxF2', 'IBxF', 'IxFl', 'IwFl', '\0\0\0\0', '\x01', '\0\0\x10\0']

export const TABLE_WORDS = [
  ...[
    '"',
    '""',
    '\t',
    ',',
    '\r',
    '\n',
    '\r\n',
    '\ufeff',
    'label',
    'score',
    '1',
    '-1',
    '1e999',
    'NaN',
    '0x1',
    ' ',
    '\0',
  ],
  ...['\u2028', '__proto__', 'Infinity', '9007199254740993', '1.5'],
]
