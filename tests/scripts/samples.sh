#!/bin/bash
# The sample documents are the same bytes every time, stock readers read them, and the records that name them find them.
# shellcheck disable=SC2317,SC2012
set -uo pipefail
scripts=$(realpath "$(dirname "$0")/../../scripts")
top=$(mktemp -d /tmp/muniment-test-XXXXXX)
trap 'rm -rf "$top"' EXIT
count=0 bad=0
check() { # check NAME COMMAND...
	local name=$1 not=
	shift
	count=$((count + 1))
	"$@" >"$top/output" 2>&1 || { not="not " bad=1; }
	echo "${not}ok $count - $name"
	[ -z "$not" ] || sed 's/^/# /' "$top/output"
}
same_bytes() {
	TZ=UTC LC_ALL=C PYTHONHASHSEED=1 "$scripts/make-samples" "$top/one" &&
		(umask 077 && TZ=Asia/Shanghai LC_ALL=C.UTF-8 PYTHONHASHSEED=2 "$scripts/make-samples" "$top/two") &&
		diff -r "$top/one" "$top/two"
}
pdf_text() { pdftotext "$top/one/$1" - | grep -F "$2"; }
part_text() { python3 -m zipfile -e "$top/one/$1" "$top/parts" && grep -rqF "$2" "$top/parts" && rm -r "$top/parts"; }
mail_text() {
	python3 - "$top/one/供应商变更通知 粒料.eml" <<-'END'
		import email, email.policy, sys
		mail = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=email.policy.default)
		attached = next(mail.iter_attachments())
		assert mail['subject'] == '关于医用 TPE 粒料 N-6021 变更着色母粒的通知', mail['subject']
		assert '标签' in mail.get_body().get_content() and attached.get_filename() == '变更前后对比.txt'
		assert '还原物质' in attached.get_content()
	END
}
records() {
	grep -v '^#' "$scripts/samples/records.txt" | cut -d'|' -f6 | tr ';' '\n' | grep . | sort >"$top/named"
	ls "$top/one" | sort | diff "$top/named" - &&
		grep -v '^#' "$scripts/samples/records.txt" | cut -d'|' -f5 | sort | diff - <(ls "$scripts/samples/records" | sort)
}

check "the same bytes every time" same_bytes
check "a PDF in Unicode" pdf_text 输液延长管二级召回计划.pdf "没有收到伤害事件的报"
check "a PDF has page numbers" pdf_text 输液延长管二级召回计划.pdf "第 3 页 / 共 3 页"
check "a PDF in GBK" pdf_text 澄市监函〔2026〕37号\ 关于加强输注类产品抽查的函.pdf "关于加强输注类产品抽查的函"
check "a text document" part_text "SOP-012 灭菌操作规程.docx" "环氧乙烷残留量"
check "a table" part_text "批检验报告 20260914-02.xlsx" "密合性抽样 8 件"
check "slides" part_text 灭菌岗位培训.pptx "停机"
check "an open document" part_text "供应商现场审核记录 南屿新材料.odt" "合格供应商"
check "a mail" mail_text
check "the list of records names every sample" records
echo "1..$count"
exit $bad
