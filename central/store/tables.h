/* The tables of the line to the branches, as one of the scripts of store.c: branches and tokens, journals, alarms. */
#ifndef CENTRAL_STORE_TABLES_H
#define CENTRAL_STORE_TABLES_H

extern const char tables_line[];
/* Issuers, their keys, certificates. */
extern const char tables_registry[];
/* What branches scanned: columns of journal rows. */
extern const char tables_uses[];
/* Consents, what is set aside for branches, and who was given what. */
extern const char tables_holdings[];
/* Images of the branches' appliance, and where each branch stands with them. */
extern const char tables_updates[];
/* Models, the inputs that were scored, and their scores. */
extern const char tables_scores[];
/* Departments' sources, their batches and rows. */
extern const char tables_ingest[];
/* Which subjects of carbon accounts are one person. */
extern const char tables_carbon[];
/* Other platforms, what goes to them and comes from them. */
extern const char tables_exchange[];
/* How scored subjects turned out. */
extern const char tables_outcomes[];
/* Rules of credit reports, and objections to what they say. */
extern const char tables_objections[];
/* Which mapping of facts inputs of scores were made by. */
extern const char tables_score_facts[];
/* Reports that branches asked for. */
extern const char tables_report_requests[];
/* Certificates of departments that send by themselves. */
extern const char tables_department[];
/* Real-time messages of departments. */
extern const char tables_messages[];
/* When batches were superseded and erased, and the rule. */
extern const char tables_retention[];
/* Green ratings and colour labels. */
extern const char tables_green[];
/* What carbon points bought, and what was pushed to scores. */
extern const char tables_redemptions[];

#endif
