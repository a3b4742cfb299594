#include "text/pre_tokenizer.h"

#include <string>
#include <vector>

namespace rallrec::text {
namespace {

std::string quoted(std::string_view name) {
  std::string text(1, '"');
  text.append(name).push_back('"');
  return text;
}

// `node` itself, or the members of its array `list` where its type is Sequence.
std::vector<JsonNode> flatten(const JsonNode& node, const char* list) {
  if (node.type() != "Sequence") {
    return {node};
  }
  const JsonNode array = node.at(list);
  std::vector<JsonNode> steps;
  for (const simdjson::dom::element element : array.as_array()) {
    steps.push_back(array.child(element, "[" + std::to_string(steps.size()) + "]"));
  }
  return steps;
}

SplitRule read_split(const JsonNode& node) {
  const JsonNode regex = node.at("pattern").at("Regex");
  const std::string_view pattern = regex.as_string();
  const std::optional<SplitRule> rule = split_rule_of_pattern(pattern);
  if (!rule) {
    regex.fail("unknown split regex " + quoted(pattern.substr(0, 80)) +
               "; known are those of Llama-3 and GPT-2 (with or without single digits)");
  }
  if (node.at("behavior").as_string() != "Isolated" || node.bool_or("invert", false)) {
    node.fail("only behavior \"Isolated\" without invert is known");
  }
  return *rule;
}

struct Steps {
  std::optional<SplitRule> split;
  bool digits = false;
  bool byte_level = false;
  bool byte_level_regex = false;
};

void read_step(const JsonNode& node, Steps& steps) {
  const std::string_view type = node.type();
  if (steps.byte_level) {
    node.fail("nothing may follow ByteLevel");
  }
  if (type == "Split" && !steps.split && !steps.digits) {
    steps.split = read_split(node);
  } else if (type == "Digits" && !steps.split && !steps.digits) {
    steps.digits = true;
    if (!node.bool_or("individual_digits", false)) {
      node.fail("only individual_digits = true is known");
    }
  } else if (type == "ByteLevel") {
    steps.byte_level = true;
    steps.byte_level_regex = node.bool_or("use_regex", true);
    if (node.bool_or("add_prefix_space", true)) {
      node.fail("only add_prefix_space = false is known");
    }
  } else {
    node.fail(
        "pre-tokenizer " + quoted(type) +
        " is not known here; known are Split then ByteLevel, Digits then ByteLevel, ByteLevel");
  }
}

// The token id that TemplateProcessing's special token `piece` stands for.
std::int32_t special_id(const JsonNode& processor, const JsonNode& piece, std::int64_t tokens) {
  const std::string_view name = piece.at("id").as_string();
  const JsonNode ids = processor.at("special_tokens").at(name).at("ids");
  const simdjson::dom::array array = ids.as_array();
  if (array.size() != 1) {
    ids.fail("must hold one id");
  }
  return static_cast<std::int32_t>(ids.child(array.at(0), "[0]").as_index(tokens));
}

std::optional<std::int32_t> read_template(const JsonNode& processor, std::int64_t tokens) {
  const JsonNode single = processor.at("single");
  std::optional<std::int32_t> bos;
  bool text_seen = false;
  std::size_t index = 0;
  for (const simdjson::dom::element element : single.as_array()) {
    const JsonNode piece = single.child(element, "[" + std::to_string(index++) + "]");
    const std::optional<JsonNode> special = piece.find("SpecialToken");
    if (special && (text_seen || bos)) {
      piece.fail("only one special token, before the text, is known");
    }
    if (special) {
      bos = special_id(processor, *special, tokens);
    } else {
      piece.at("Sequence");
      text_seen = true;
    }
  }
  return bos;
}

}  // namespace

SplitRule read_pre_tokenizer(const JsonNode& node) {
  Steps steps;
  for (const JsonNode& step : flatten(node, "pretokenizers")) {
    read_step(step, steps);
  }
  if (!steps.byte_level) {
    node.fail("must end with ByteLevel");
  }
  if (steps.split.has_value() == steps.byte_level_regex) {
    node.fail("exactly one of Split and ByteLevel's use_regex must cut the text");
  }
  return steps.split ? *steps.split : steps.digits ? SplitRule::kGpt2Digits : SplitRule::kGpt2;
}

std::optional<std::int32_t> read_bos_id(const JsonNode& root, std::int64_t tokens) {
  std::optional<std::int32_t> bos;
  const std::optional<JsonNode> node = root.find("post_processor");
  if (!node) {
    return bos;
  }
  for (const JsonNode& processor : flatten(*node, "processors")) {
    const std::string_view type = processor.type();
    if (type == "TemplateProcessing" && !bos) {
      bos = read_template(processor, tokens);
    } else if (type != "ByteLevel") {
      processor.fail("post-processor " + quoted(type) +
                     " is not known here; known are ByteLevel and one TemplateProcessing");
    }
  }
  return bos;
}

}  // namespace rallrec::text
