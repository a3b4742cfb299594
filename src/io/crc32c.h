#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rallrec::io {

// CRC-32C (Castagnoli polynomial 0x1EDC6F41, reflected), RFC 3720 appendix B.4.
std::uint32_t crc32c(std::string_view bytes);

}  // namespace rallrec::io
