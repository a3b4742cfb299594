#include "pipeline/experiment/table.h"

namespace rallrec::pipeline {
namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// Cells must not end a column or begin a list.
std::string markdown_text(const std::string& text) { return replaced(text, "|", "\\|"); }

std::string markdown_entry(const TableEntry& entry) {
  const std::string text = markdown_text(entry.text);
  return (entry.best ? "**" + text + "**" : text) + (entry.star ? " \\*" : "");
}

std::string markdown_table(const Table& table) {
  std::string text = table.caption + "\n\n|";
  std::string line = "|";
  for (const std::string& name : table.head) {
    text.append(" ").append(markdown_text(name)).append(" |");
    line += "---|";
  }
  text += "\n" + line + "\n";
  for (const auto& row : table.rows) {
    text += "|";
    for (const TableEntry& entry : row) {
      text.append(" ").append(markdown_entry(entry)).append(" |");
    }
    text += "\n";
  }
  for (const std::string& note : table.notes) {
    text.append("\n").append(note.front() == '*' ? "\\" : "").append(note).append("\n");
  }
  return text;
}

std::string latex_text(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
      case '%':
      case '$':
      case '#':
      case '_':
      case '{':
      case '}':
        escaped += '\\';
        escaped += c;
        break;
      case '\\':
        escaped += "\\textbackslash{}";
        break;
      case '~':
        escaped += "\\textasciitilde{}";
        break;
      case '^':
        escaped += "\\textasciicircum{}";
        break;
      case '<':
      case '>':
        (escaped += '$').append(1, c).append(1, '$');
        break;
      default:
        escaped += c;
    }
  }
  return replaced(replaced(escaped, "±", "$\\pm$"), "–", "--");
}

std::string latex_entry(const TableEntry& entry) {
  const std::string text = latex_text(entry.text);
  return (entry.best ? "\\textbf{" + text + "}" : text) + (entry.star ? "$^{*}$" : "");
}

std::string latex_table(const Table& table) {
  std::string notes;
  for (const std::string& note : table.notes) {
    notes.append(" ").append(latex_text(note));
  }
  std::string text = "\\begin{table}\n\\caption{" + latex_text(table.caption) + notes +
                     "}\n\\begin{tabular}{l" + std::string(table.head.size() - 1, 'r') +
                     "}\n\\toprule\n";
  for (std::size_t i = 0; i < table.head.size(); ++i) {
    text.append(i == 0 ? "" : " & ").append(latex_text(table.head[i]));
  }
  text += " \\\\\n\\midrule\n";
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text.append(i == 0 ? "" : " & ").append(latex_entry(row[i]));
    }
    text += " \\\\\n";
  }
  return text + "\\bottomrule\n\\end{tabular}\n\\end{table}\n";
}

}  // namespace

std::string markdown(const std::string& title, const std::vector<Table>& tables) {
  std::string text = title.empty() ? "" : "# " + title + "\n";
  for (const Table& table : tables) {
    text.append(text.empty() ? "" : "\n").append(markdown_table(table));
  }
  return text;
}

std::string latex(const std::vector<Table>& tables) {
  std::string text;
  for (const Table& table : tables) {
    text.append(text.empty() ? "" : "\n").append(latex_table(table));
  }
  return text;
}

}  // namespace rallrec::pipeline
