#pragma once

#include <string>
#include <string_view>

namespace rallrec::data {

// The text with the HTML entities of web shops as characters: &amp; &lt; &gt; &quot; &apos; &#39;
// &#34; &nbsp;. Others stay.
std::string decode_entities(std::string_view text);

}  // namespace rallrec::data
