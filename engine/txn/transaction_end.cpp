#include "txn/transaction_end.h"

namespace orrery {

std::string encode_end(const TransactionEnd& end, bool whole) {
  std::string out;
  ByteWriter writer(out);
  writer.write(end.at.v);
  writer.write(static_cast<uint8_t>(whole));
  writer.write_varint(end.children.size());
  for (const Xid child : end.children) writer.write(child.v);
  writer.write_varint(end.files.size());
  for (const FileId file : end.files) writer.write(file.v);
  writer.write_bytes(end.invalidations);
  return out;
}

Status decode_end(Bytes payload, DecodedEnd* out) {
  ByteReader reader(payload);
  out->end.at = WallTime(reader.read<int64_t>());
  out->whole = reader.read<uint8_t>() != 0;
  for (uint64_t left = reader.read_varint(); left > 0 && reader.ok(); --left) {
    out->children.push_back(Xid(reader.read<uint64_t>()));
  }
  for (uint64_t left = reader.read_varint(); left > 0 && reader.ok(); --left) {
    out->files.push_back(FileId(reader.read<uint64_t>()));
  }
  if (!reader.ok()) return raise(sqlstate::data_corrupted, "invalid record of a transaction's end");
  out->end.invalidations = reader.take(reader.remaining());
  out->end.children = out->children;
  out->end.files = out->files;
  return {};
}

}  // namespace orrery
