/* What became of an account or a transfer in a batch. The first that applies, in this order of checks: what can be said of it alone, its
   identifier's earlier use, what it refers to, limits. Words and their Chinese for people. */
#ifndef CENTRAL_LEDGER_STATUS_H
#define CENTRAL_LEDGER_STATUS_H

#define LEDGER_STATUSES(X)                                                                                           \
	X(OK, ok, "已记账")                                                                                          \
	X(EXISTS, exists, "重复提交，内容相同，不再记账")                                                            \
	X(LINKED_FAILED, linked_event_failed, "同组的另一笔失败")                                                    \
	X(LINKED_OPEN, linked_event_chain_open, "联动组在批次末尾没有结束")                                          \
	X(ID_ZERO, id_must_not_be_zero, "编号不能为零")                                                              \
	X(KIND_UNKNOWN, kind_must_be_known, "没有这种转账")                                                          \
	X(DEBIT_ZERO, debit_must_not_be_zero, "缺少借方账户")                                                        \
	X(CREDIT_ZERO, credit_must_not_be_zero, "缺少贷方账户")                                                      \
	X(SAME_ACCOUNT, accounts_must_be_different, "借贷双方是同一账户")                                            \
	X(REF_NOT_ZERO, ref_must_be_zero, "这种转账不引用其他转账")                                                  \
	X(REF_ZERO, ref_must_not_be_zero, "缺少所引用的转账")                                                        \
	X(REF_SELF, ref_must_be_different, "不能引用自己")                                                           \
	X(TIMEOUT_RESERVED, timeout_reserved_for_pending, "只有预留转账有时限")                                      \
	X(LEDGER_ZERO, ledger_must_not_be_zero, "缺少账本号")                                                        \
	X(AMOUNT_RANGE, amount_must_be_positive, "金额必须为正整数")                                                 \
	X(CLASS_UNKNOWN, class_must_be_known, "没有这种账户类别")                                                    \
	X(FLAGS_EXCLUSIVE, flags_are_mutually_exclusive, "两种限额不能并用")                                         \
	X(NAME_UNFIT, name_must_be_plain_text, "名称不能含控制字符或分号")                                           \
	X(DIFFERENT_KIND, exists_with_different_kind, "编号已用于另一种转账")                                        \
	X(DIFFERENT_FLAGS, exists_with_different_flags, "编号已用，标志不同")                                        \
	X(DIFFERENT_REF, exists_with_different_ref, "编号已用，引用不同")                                            \
	X(DIFFERENT_TIMEOUT, exists_with_different_timeout, "编号已用，时限不同")                                    \
	X(DIFFERENT_DEBIT, exists_with_different_debit, "编号已用，借方不同")                                        \
	X(DIFFERENT_CREDIT, exists_with_different_credit, "编号已用，贷方不同")                                      \
	X(DIFFERENT_AMOUNT, exists_with_different_amount, "编号已用，金额不同")                                      \
	X(DIFFERENT_DATA, exists_with_different_data, "编号已用，附加数据不同")                                      \
	X(DIFFERENT_EFFECTIVE, exists_with_different_effective, "编号已用，生效日不同")                              \
	X(DIFFERENT_LEDGER, exists_with_different_ledger, "编号已用，账本不同")                                      \
	X(DIFFERENT_CODE, exists_with_different_code, "编号已用，代码不同")                                          \
	X(DIFFERENT_CLASS, exists_with_different_class, "编号已用，账户类别不同")                                    \
	X(DIFFERENT_NAME, exists_with_different_name, "编号已用，名称不同")                                          \
	X(DEBIT_MISSING, debit_account_not_found, "没有这个借方账户")                                                \
	X(CREDIT_MISSING, credit_account_not_found, "没有这个贷方账户")                                              \
	X(LEDGERS_DIFFER, accounts_must_have_the_same_ledger, "双方账户不在同一账本")                                \
	X(LEDGER_WRONG, ledger_must_be_that_of_accounts, "账本号与账户的不符")                                       \
	X(PENDING_MISSING, pending_transfer_not_found, "没有这笔预留")                                               \
	X(PENDING_NOT, pending_transfer_not_pending, "所引用的不是预留")                                             \
	X(REF_DEBIT, ref_has_different_debit, "与所引用转账的借方不符")                                              \
	X(REF_CREDIT, ref_has_different_credit, "与所引用转账的贷方不符")                                            \
	X(REF_LEDGER, ref_has_different_ledger, "与所引用转账的账本不符")                                            \
	X(REF_CODE, ref_has_different_code, "与所引用转账的代码不符")                                                \
	X(EXCEEDS_PENDING, exceeds_pending_amount, "超过预留金额")                                                   \
	X(REF_AMOUNT, ref_has_different_amount, "与所引用转账的金额不符")                                            \
	X(PENDING_POSTED, pending_transfer_already_posted, "预留已入账")                                             \
	X(PENDING_VOIDED, pending_transfer_already_voided, "预留已撤销")                                             \
	X(PENDING_EXPIRED, pending_transfer_expired, "预留已过期")                                                   \
	X(ORIGINAL_MISSING, original_not_found, "没有所冲正的转账")                                                  \
	X(ORIGINAL_UNFIT, original_not_reversible, "预留、撤销、过期与冲正本身不能冲正")                             \
	X(REVERSED, original_already_reversed, "已冲正过")                                                           \
	X(OVERFLOWS, overflows_account, "超出账户可记金额")                                                          \
	X(EXCEEDS_CREDITS, exceeds_credits, "借方账户余额不足")                                                      \
	X(EXCEEDS_DEBITS, exceeds_debits, "贷方账户超过可收金额")                                                    \
	X(BOOK_FULL, ledger_is_full, "账本已满")

enum ledger_status {
#define X(name, word, zh) LEDGER_##name,
	LEDGER_STATUSES(X)
#undef X
		LEDGER_STATUS_COUNT
};

const char *ledger_status_name(enum ledger_status s); /* "exists_with_different_amount" */
const char *ledger_status_zh(enum ledger_status s);

#endif
