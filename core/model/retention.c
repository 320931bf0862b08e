/* retention.c - see retention.h. The names are those of the schedule that the sources give. */
#include "core/model/retention.h"

const struct retention_class retention_classes[] = {
	{ "R-ADE", "不良事件记录", "adverse-event records" },
	{ "R-CMP-2", "重要投诉", "important complaints" },
	{ "R-CMP-G", "一般投诉", "general complaints" },
	{ "R-CMP-I", "涉及人身伤害的投诉", "complaints with personal injury" },
	{ "R-CMP-U", "紧急投诉和举报", "urgent complaints and reports" },
	{ "R-DOC", "现行文件及其审批记录", "documents in force and their approvals" },
	{ "R-EMG-1", "一级突发事件", "emergencies of level one" },
	{ "R-EMG-23", "二、三级突发事件", "emergencies of levels two and three" },
	{ "R-EXT", "外部审核档案", "external audits" },
	{ "R-GEN", "一般质量记录", "general quality records" },
	{ "R-IMP", "植入类器械记录", "implants" },
	{ "R-MAJ", "重大质量事件", "major quality events" },
	{ "R-MON", "监测记录", "monitoring records" },
	{ "R-MON-1", "一级风险监测记录", "monitoring records of level-one risks" },
	{ "R-OBS-E", "作废电子文件", "obsolete electronic documents" },
	{ "R-OBS-P", "作废纸质文件", "obsolete paper documents" },
	{ "R-QP", "质量问题处理记录", "quality-problem records" },
	{ "R-QUAL", "资质审核记录（电子）", "qualification records, electronic" },
	{ "R-QUAL-P", "资质审核记录（纸质）", "qualification records, paper" },
	{ "R-RCL", "召回记录", "recall records" },
	{ "R-STOP", "停止服务记录", "stop-service records" },
	{ "R-STOPLOG", "停服日志", "stop-service logs" },
	{ "R-SYS", "系统记录", "records of the archive itself" },
	{ "R-TRN-E", "员工培训档案", "training files of employees" },
	{ "R-TRN-O", "外包人员培训档案", "training files of outsourced staff" },
	{ "R-TXN", "交易记录", "transaction records" },
	{ "R-TXN-HR", "高风险产品交易记录", "transaction records of high-risk products" },
};

const size_t retention_class_count = ARRAY_LEN(retention_classes);

const struct retention_class *retention_find(struct str code)
{
	for (size_t i = 0; i < retention_class_count; i++)
		if (str_is(code, retention_classes[i].code))
			return &retention_classes[i];
	return NULL;
}
