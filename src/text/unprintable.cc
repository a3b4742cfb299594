#include "text/unprintable.h"

#include <pcre2.h>

#include <memory>

#include "core/check.h"

namespace rallrec::text {
namespace {

struct CodeDeleter {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct MatchDeleter {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};

std::unique_ptr<pcre2_code, CodeDeleter> compile() {
  int error = 0;
  PCRE2_SIZE offset = 0;
  std::unique_ptr<pcre2_code, CodeDeleter> code(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>("[\\p{C}\\p{Z}]"), PCRE2_ZERO_TERMINATED,
                    PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr));
  RALLREC_CHECK(code != nullptr, "PCRE2 refuses the class of unprintable characters");
  return code;
}

}  // namespace

bool is_unprintable(std::string_view character) {
  static const std::unique_ptr<pcre2_code, CodeDeleter> code = compile();
  thread_local const std::unique_ptr<pcre2_match_data, MatchDeleter> data(
      pcre2_match_data_create(1, nullptr));
  return character != " " &&
         pcre2_match(code.get(), reinterpret_cast<PCRE2_SPTR>(character.data()), character.size(),
                     0, PCRE2_NO_UTF_CHECK, data.get(), nullptr) > 0;
}

}  // namespace rallrec::text
