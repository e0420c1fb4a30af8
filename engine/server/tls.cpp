#include "server/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/check.h"
#include "base/text.h"

namespace orrery {
namespace {

std::string last_error() {
  char text[256];
  ERR_error_string_n(ERR_get_error(), text, sizeof text);
  ERR_clear_error();
  return text;
}

Status bad_file(std::string_view what) {
  return raise(sqlstate::config_file_error,
               cat("could not load server ", what, ": ", last_error()));
}

using Bio = std::unique_ptr<BIO, int (*)(BIO*)>;
Bio reader_of(std::string_view text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

// The first certificate is the server's, those after it lead to its root.
bool use_certificates(SSL_CTX* context, std::string_view text) {
  const Bio bio = reader_of(text);
  X509* own = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr);
  if (own == nullptr) return false;
  const bool used = SSL_CTX_use_certificate(context, own) == 1;
  X509_free(own);
  while (X509* next = used ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr) {
    if (SSL_CTX_add0_chain_cert(context, next) != 1) {
      X509_free(next);
      return false;
    }
  }
  if (used) ERR_clear_error();  // the end of the text
  return used;
}

bool use_key(SSL_CTX* context, std::string_view text) {
  const Bio bio = reader_of(text);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr);
  if (key == nullptr) return false;
  const bool used = SSL_CTX_use_PrivateKey(context, key) == 1;
  EVP_PKEY_free(key);
  return used && SSL_CTX_check_private_key(context) == 1;
}

}  // namespace

Result<std::unique_ptr<TlsServer>> TlsServer::make(std::string_view certificate,
                                                   std::string_view key) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  CHECK(context != nullptr);
  auto server = std::make_unique<TlsServer>(context);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);  // idle connections stay small
  if (!use_certificates(context, certificate)) return bad_file("certificate file");
  if (!use_key(context, key)) return bad_file("private key file");
  return server;
}

TlsServer::~TlsServer() { SSL_CTX_free(context_); }

TlsStream::TlsStream(const TlsServer& server) : ssl_(SSL_new(server.context())) {
  CHECK(ssl_ != nullptr);
  SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_accept_state(ssl_);
}

TlsStream::~TlsStream() { SSL_free(ssl_); }

void TlsStream::receive(Bytes encrypted) {
  size_t taken = 0;
  CHECK(BIO_write_ex(SSL_get_rbio(ssl_), encrypted.data(), encrypted.size(), &taken) == 1 &&
        taken == encrypted.size());
}

void TlsStream::take_output() {
  char buffer[4096];
  size_t count = 0;
  while (BIO_read_ex(SSL_get_wbio(ssl_), buffer, sizeof buffer, &count) == 1)
    output.append(buffer, count);
}

Result<bool> TlsStream::handshake() {
  const int done = SSL_do_handshake(ssl_);
  take_output();
  if (done == 1) return true;
  if (SSL_get_error(ssl_, done) == SSL_ERROR_WANT_READ) return false;
  return raise(sqlstate::protocol_violation,
               cat("could not accept SSL connection: ", last_error()));
}

Result<size_t> TlsStream::read(MutableBytes buffer, bool* ended) {
  *ended = false;
  size_t count = 0;
  const int done = SSL_read_ex(ssl_, buffer.data(), buffer.size(), &count);
  take_output();
  if (done == 1) return count;
  const int why = SSL_get_error(ssl_, done);
  *ended = why == SSL_ERROR_ZERO_RETURN;
  if (*ended || why == SSL_ERROR_WANT_READ) return size_t{0};
  return raise(sqlstate::connection_failure, cat("SSL error: ", last_error()));
}

void TlsStream::write(Bytes plain) {
  if (plain.empty()) return;
  size_t taken = 0;
  if (SSL_write_ex(ssl_, plain.data(), plain.size(), &taken) != 1) ERR_clear_error();
  take_output();
}

}  // namespace orrery
